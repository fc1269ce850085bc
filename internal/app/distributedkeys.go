package app

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/plugin"
)

// Keys of distributed workers whose names are needed in more than one place.
const (
	groupKey          = "group.id"
	exactlyOnceKey    = "exactly.once.source.support"
	heartbeatKey      = "heartbeat.interval.ms"
	requestTimeoutKey = "request.timeout.ms"
	apiTimeoutKey     = "default.api.timeout.ms"
	keySizeKey        = "inter.worker.key.size"
	signatureKey      = "inter.worker.signature.algorithm"
	verificationKey   = "inter.worker.verification.algorithms"
)

// Values of exactly.once.source.support, in small letters.
const (
	disabled  = "disabled"
	preparing = "preparing"
	enabled   = "enabled" // refused
)

// distributedKeys are the keys of a distributed worker. Times are in milliseconds.
type distributedKeys struct {
	commonKeys
	group, clientID                                         config.Key[string]
	configTopic, offsetTopic, statusTopic                   config.Key[string]
	configReplication, offsetReplication, statusReplication config.Key[int16]
	offsetPartitions, statusPartitions                      config.Key[int32]
	session, heartbeat, rebalance                           config.Key[int32]
	maxDelay, syncTimeout, unsyncBackoff                    config.Key[int32]
	protocol, exactlyOnce                                   config.Key[string]
	keyTTL, keySize                                         config.Key[int32]
	keyAlgorithm, signatureAlgorithm                        config.Key[string]
	verificationAlgorithms                                  config.Key[[]string]
	requestTimeout, apiTimeout                              config.Key[int32]
}

func newDistributedKeys(reg *plugin.Registry) distributedKeys {
	k := distributedKeys{commonKeys: newCommonKeys(reg)}
	d := k.def
	k.group = d.String(groupKey, config.NonEmpty, config.High,
		config.Doc("Names the group of workers. All workers with the same name share their connectors; it must not be the consumer group of a sink."))
	k.storageKeys()
	k.groupKeys()
	k.exactlyOnce = d.String(exactlyOnceKey, config.Default(disabled), config.OneOfFold(disabled, preparing, enabled), config.High,
		config.Doc("Whether the leader writes configurations in transactions, which keeps a former leader from writing, too: "+
			"preparing for yes. All workers of a group should have the same value."))
	k.workerKeys()
	k.clientID = d.String("client.id", config.Default(""), config.Low, config.Doc("Part of the names by which Kafka knows the worker's clients."))
	k.requestTimeout = d.Int(requestTimeoutKey, config.Default(40_000), config.AtLeast(0), config.Medium,
		config.Doc("How long a request to Kafka may wait for its answer, in milliseconds. The default holds for the group; for topics it is 30000."))
	k.apiTimeout = d.Int(apiTimeoutKey, config.Default(60_000), config.AtLeast(0), config.Medium,
		config.Doc("For how long the worker tries to create its topics, in milliseconds. Not less than request.timeout.ms."))
	return k
}

// storageKeys defines what concerns the worker's topics.
func (k *distributedKeys) storageKeys() {
	const (
		replicas = "How many copies of this topic Kafka keeps if the worker creates it, -1 for what the brokers prefer. "
		few      = "A cluster with fewer brokers needs a smaller number."
		count    = "Number of partitions of this topic if the worker creates it, -1 for what the brokers prefer."
	)
	replication := func(use topicUse) config.Key[int16] {
		return k.def.Short(use.replicationKey(), config.Default(3), brokerDefault("Replication factor must be positive and not larger than the number of "+
			"brokers in the Kafka cluster, or -1 to use the broker's default"), config.Low, config.Doc(replicas+few))
	}
	partitions := func(key string, n int) config.Key[int32] {
		return k.def.Int(key, config.Default(n),
			brokerDefault("Number of partitions must be positive, or -1 to use the broker's default"), config.Low, config.Doc(count))
	}
	name := func(use topicUse) config.Key[string] {
		return k.def.String(use.nameKey(), config.NonEmpty, config.High, config.Doc("Topic that keeps the "+use.purpose()+
			". It must be compacted; the worker creates it if it is missing. Other keys that begin with "+string(use)+".storage are settings for that."))
	}
	k.configTopic = name(configUse)
	k.configReplication = replication(configUse)
	k.offsetTopic = name(offsetUse)
	k.offsetPartitions = partitions(offsetPartitionsKey, 25)
	k.offsetReplication = replication(offsetUse)
	k.statusTopic = name(statusUse)
	k.statusPartitions = partitions(statusPartitionsKey, 5)
	k.statusReplication = replication(statusUse)
}

// brokerDefault accepts positive numbers, and -1.
func brokerDefault(text string) config.Check {
	return config.NewCheck("at least 1, or -1", func(_ string, v any) error {
		n := 0
		switch v := v.(type) {
		case int16:
			n = int(v)
		case int32:
			n = int(v)
		}
		if n < 1 && n != -1 {
			return errors.New(text)
		}
		return nil
	})
}

// groupKeys defines what concerns being a member of the group.
func (k *distributedKeys) groupKeys() {
	d := k.def
	k.session = d.Int("session.timeout.ms", config.Default(10_000), config.AtLeast(1), config.High,
		config.Doc("After how long without a heartbeat the group takes a worker for gone, in milliseconds. The brokers have limits for it."))
	k.heartbeat = d.Int(heartbeatKey, config.Default(3000), config.AtLeast(1), config.High,
		config.Doc("Pause between two heartbeats, in milliseconds. Less than session.timeout.ms, and a third of it at most to be safe."))
	k.rebalance = d.Int("rebalance.timeout.ms", config.Default(60_000), config.AtLeast(1), config.High,
		config.Doc("How long each worker gets to stop what others shall run, in milliseconds."))
	k.protocol = d.String("connect.protocol", config.Default(group.Sessioned.String()), protocolCheck(), config.Low,
		config.Doc("How the group divides the work: eager stops everything for each change, compatible only what moves, sessioned also signs requests between workers."))
	k.maxDelay = d.Int("scheduled.rebalance.max.delay.ms", config.Default(300_000), config.AtLeast(0), config.Low,
		config.Doc("How long the work of a worker that is gone waits for its return, in milliseconds. The leader's value counts."))
	k.syncTimeout = d.Int("worker.sync.timeout.ms", config.Default(3000), config.AtLeast(0), config.Medium,
		config.Doc("How long a worker that lags behind the group tries to read the configurations before it leaves, in milliseconds."))
	k.unsyncBackoff = d.Int("worker.unsync.backoff.ms", config.Default(300_000), config.AtLeast(0), config.Medium,
		config.Doc("How long such a worker stays away from the group, in milliseconds."))
}

func protocolCheck() config.Check {
	return config.NewCheck("eager, compatible or sessioned, in any case", func(_ string, v any) error {
		if s, _ := v.(string); !knownMode(s) {
			return errors.New("Invalid Connect protocol compatibility")
		}
		return nil
	})
}

func knownMode(s string) bool {
	_, err := group.ParseMode(s)
	return err == nil
}

// workerKeys defines what concerns signed requests between workers.
func (k *distributedKeys) workerKeys() {
	d := k.def
	k.keyAlgorithm = d.String("inter.worker.key.generation.algorithm", config.Default(hmacSHA256), macCheck(), config.Low,
		config.Doc("For which algorithm keys of the workers are made."))
	k.keySize = d.Int(keySizeKey, config.NullDefault, keySizeCheck(), config.Low,
		config.Doc("Length of the keys in bits. Without it the algorithm decides: 256 for HmacSHA256."))
	k.keyTTL = d.Int("inter.worker.key.ttl.ms", config.Default(3_600_000), config.AtLeast(0), config.Low,
		config.Doc("After how long a key is replaced, in milliseconds; 0 for never."))
	k.signatureAlgorithm = d.String(signatureKey, config.Default(hmacSHA256), macCheck(), config.Low,
		config.Doc("How requests to other workers are signed. One of inter.worker.verification.algorithms."))
	k.verificationAlgorithms = d.List(verificationKey, config.Default([]string{hmacSHA256}), macsCheck(), config.Low,
		config.Doc("Which signatures are accepted. All workers of a group should have the same list."))
}

const hmacSHA256 = "HmacSHA256"

// macs are the supported algorithms, with the bytes of a key that Java makes for each when no size is given.
var macs = map[string]int{"HmacMD5": 64, "HmacSHA1": 64, "HmacSHA224": 28, hmacSHA256: 32, "HmacSHA384": 48, "HmacSHA512": 64}

// macNames are the algorithms in the order in which texts list them.
var macNames = []string{"HmacMD5", "HmacSHA1", "HmacSHA224", hmacSHA256, "HmacSHA384", "HmacSHA512"}

func macCheck() config.Check {
	return config.NewCheck("one of "+strings.Join(macNames, ", "), func(_ string, v any) error {
		s, _ := v.(string)
		return checkMAC(s)
	})
}

func checkMAC(name string) error {
	if macs[name] == 0 {
		return errors.New("the algorithm is not supported; the supported algorithms are: [" + strings.Join(macNames, ", ") + "]")
	}
	return nil
}

func macsCheck() config.Check {
	return config.NewCheck("one or more of "+strings.Join(macNames, ", "), func(_ string, v any) error {
		list, _ := v.([]string)
		if len(list) == 0 {
			return errors.New("At least one signature verification algorithm must be provided")
		}
		for _, name := range list {
			if err := checkMAC(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// keySizeCheck accepts what Java's key generators do.
func keySizeCheck() config.Check {
	const least = 40
	return config.OrNull(config.NewCheck("at least "+strconv.Itoa(least), func(_ string, v any) error {
		if n, ok := v.(int32); ok && n < least {
			return errors.New("Key length must be at least 40 bits")
		}
		return nil
	}))
}

// keyBytes returns the length of a session key, which is that of the keys that Java workers with the same configuration make:
// otherwise each change of the leader would replace the key.
func (k *distributedKeys) keyBytes(v config.Values) int {
	if bits, ok := k.keySize.Lookup(v); ok {
		return (int(bits) + 7) / 8
	}
	return macs[k.keyAlgorithm.Of(v)]
}

// refusedDistributed is refused for distributed workers, whose messages give the reasons. Letter case does not matter.
var refusedDistributed = map[string]refusal{
	exactlyOnceKey:        {[]string{disabled, preparing}, "sources of this version of Millrace deliver at least once; use preparing or disabled"},
	advertisedListenerKey: {[]string{"http"}, "workers of this version of Millrace reach each other over http only; remove the key"},
}

// check returns all violations of what concerns several keys, and of what this version does not do. props is what v was read from.
func (k *distributedKeys) check(v config.Values, props map[string]string) error {
	errs := k.topicViolations(v)
	for _, key := range slices.Sorted(maps.Keys(refusedDistributed)) {
		text, given := v.Text(key)
		if r := refusedDistributed[key]; given && !slices.Contains(r.accepted, strings.ToLower(text)) {
			errs = append(errs, config.Invalid(key, text, r.reason))
		}
	}
	if k.heartbeat.Of(v) >= k.session.Of(v) {
		errs = append(errs, config.Invalid(heartbeatKey, k.heartbeat.Of(v), "Heartbeat must be set lower than the session timeout"))
	}
	if s := k.signatureAlgorithm.Of(v); !slices.Contains(k.verificationAlgorithms.Of(v), s) {
		errs = append(errs, config.Invalid(signatureKey, s, "Signature algorithm must be present in "+verificationKey+" list"))
	}
	if _, given := props[apiTimeoutKey]; given && k.apiTimeout.Of(v) < k.adminRequestTimeout(v, props) {
		text, _ := v.Text(apiTimeoutKey)
		errs = append(errs, &config.Error{
			Key: apiTimeoutKey, Value: text, Message: "The specified value of " + apiTimeoutKey + " must be no smaller than the value of " + requestTimeoutKey + ".",
		})
	}
	if errs != nil {
		return notValid(errs)
	}
	return nil
}

// adminRequestTimeout returns the request timeout of admin clients, whose default is not the worker's.
func (k *distributedKeys) adminRequestTimeout(v config.Values, props map[string]string) int32 {
	const fallback = 30_000
	if _, given := props[requestTimeoutKey]; given {
		return k.requestTimeout.Of(v)
	}
	return fallback
}
