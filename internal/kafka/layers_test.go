package kafka

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var worker = map[string]string{
	"bootstrap.servers":          "a:1",
	"security.protocol":          "SSL",
	"client.id":                  "worker",
	"key.converter":              "x",
	"producer.linger.ms":         "7",
	"producer.acks":              "1",
	"producer.":                  "no key",
	"consumer.max.poll.records":  "5",
	"consumer.auto.offset.reset": "latest",
	"admin.retries":              "3",
	"admin.security.protocol":    "PLAINTEXT",
}

func TestProducerProps(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"bootstrap.servers":                     "a:1",
		"client.id":                             "connector-producer-c-2",
		"max.block.ms":                          "9223372036854775807",
		"enable.idempotence":                    "false",
		"acks":                                  "all",
		"max.in.flight.requests.per.connection": "1",
		"delivery.timeout.ms":                   "2147483647",
		"linger.ms":                             "9",
	}
	got := ProducerProps(worker, ProducerID("c", 2), map[string]string{"linger.ms": "9", "acks": "all"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := ProducerProps(worker, "x", nil)["linger.ms"]; got != "7" {
		t.Errorf("producer.linger.ms without override is %s, want 7", got)
	}
	if got := ProducerProps(worker, "x", map[string]string{"client.id": "mine"})["client.id"]; got != "mine" {
		t.Errorf("client.id with an override is %s, want mine", got)
	}
}

func TestConsumerProps(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"bootstrap.servers":  "a:1",
		"client.id":          "connector-consumer-c-0",
		"group.id":           "connect-c",
		"enable.auto.commit": "false",
		"auto.offset.reset":  "none",
		"max.poll.records":   "5",
	}
	got := ConsumerProps(worker, "c", ConsumerID("c", 0), map[string]string{"auto.offset.reset": "none"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := ConsumerProps(map[string]string{}, "c", "x", nil)["auto.offset.reset"]; got != "earliest" {
		t.Errorf("Connect's default of auto.offset.reset is earliest, got %s", got)
	}
}

func TestAdminProps(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"bootstrap.servers": "b:2",
		"security.protocol": "PLAINTEXT",
		"client.id":         "connector-adminclient-c-1",
		"key.converter":     "x",
		"retries":           "3",
	}
	got := AdminProps(worker, AdminID("c", 1), map[string]string{"bootstrap.servers": "b:2"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := AdminProps(worker, "", nil)["client.id"]; got != "worker" {
		t.Errorf("client.id of the worker is %s, want worker", got)
	}
}

func TestClientIDs(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		ProducerID("c", 0):           "connector-producer-c-0",
		ConsumerID("c", 1):           "connector-consumer-c-1",
		AdminID("c", 2):              "connector-adminclient-c-2",
		DeadLetterProducerID("c", 3): "connector-dlq-producer-c-3",
		DeadLetterAdminID("c", 4):    "connector-dlq-adminclient-c-4",
		OffsetProducerID("c"):        "connector-offset-producer-c",
		WorkerAdminID("c"):           "connector-worker-adminclient-c",
		InstanceConsumerID("c"):      "connector-consumer-c",
		InstanceAdminID("c"):         "connector-adminclient-c",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestIsClientKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"linger.ms": true, "producer.linger.ms": true, "consumer.max.poll.records": true, "admin.retries": true,
		"consumer.linger.ms": false, "key.converter": false, "producer.": false,
	} {
		if got := IsClientKey(key); got != want {
			t.Errorf("IsClientKey(%s) = %v", key, got)
		}
	}
}
