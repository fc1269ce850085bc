// Package cluster is the herder of a worker that shares its work with others: a member of a Kafka Connect group.
//
// [Core] decides, without clock, I/O or goroutine; its files are core.go, membership.go, items.go, configs.go, reconfigure.go and
// session.go, and testdata has its behaviour as scripts. [Herder] drives it: it carries out the core's effects against the group
// coordinator, the internal topics and the worker, and answers the requests of REST. A connector's slow call occupies its own item,
// never the loop.
package cluster
