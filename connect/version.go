package connect

// KafkaVersion is the release of Apache Kafka whose behaviour this module matches. It is the version of all plugins
// that Kafka Connect itself brings along.
const KafkaVersion = "4.3.1"

// Version is the version of this module, and of the plugins that it has beside those of Kafka Connect.
const Version = "0.1.0"
