// Package group is the group protocol of Kafka Connect: what workers tell each other through the broker when they join,
// and how the leader divides connectors and tasks among them. It speaks all three versions, byte for byte as Java workers
// do, so that both kinds can live in one group and either can lead.
//
// Everything here is a pure function of what it is told: there is no clock, network, goroutine or logger. The herder joins
// the group, passes a [Round] to its [Assignor] when it is the leader, and sends the result in SyncGroup.
package group
