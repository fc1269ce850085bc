// Package bed starts and stops the real peers that tests and benchmarks run against: Apache Kafka brokers, the Java
// Connect worker, Java tools and Millrace's own ordinary binary.
//
// There are two layers. The Start functions take a context and return errors, and serve benchmarks and commands as well.
// The functions that take a testing.TB (NewBroker, SharedBroker, Millrace, ...) fail the test instead, stop what they
// started when the test ends, and show the end of its log when the test failed.
//
// Everything listens on 127.0.0.1 and on ports outside the range the system hands out by itself. Children die with the
// process that started them.
package bed
