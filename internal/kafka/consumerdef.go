package kafka

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect/config"
)

const (
	earliest   = "earliest"
	latest     = "latest"
	noReset    = "none"
	byDuration = "by_duration:"

	classic    = "classic"
	serverSide = "consumer"

	assignorPackage = "org.apache.kafka.clients.consumer."
)

var (
	consumerDef    = config.New()
	consumerCommon = defineCommon(consumerDef, 540_000, 65_536, true)

	groupID      = consumerDef.String("group.id", optional)
	instanceID   = consumerDef.String("group.instance.id", optional, config.NonEmpty)
	groupKind    = consumerDef.String("group.protocol", config.Default(classic), config.OneOfFold(serverSide, classic))
	remote       = consumerDef.String("group.remote.assignor", optional)
	assignors    = consumerDef.List("partition.assignment.strategy", config.Default(defaultAssignors))
	session      = consumerDef.Int("session.timeout.ms", config.Default(45_000))
	heartbeat    = consumerDef.Int("heartbeat.interval.ms", config.Default(3000))
	pollInterval = consumerDef.Int("max.poll.interval.ms", config.Default(300_000), config.AtLeast(1))
	pollRecords  = consumerDef.Int("max.poll.records", config.Default(500), config.AtLeast(1))
	offsetReset  = consumerDef.String("auto.offset.reset", config.Default(latest), config.Validator(checkReset))
	isolation    = consumerDef.String("isolation.level", config.Default("read_uncommitted"),
		config.OneOf("read_committed", "read_uncommitted"))
	fetchMin        = consumerDef.Int("fetch.min.bytes", config.Default(1), nonNegative)
	fetchWait       = consumerDef.Int("fetch.max.wait.ms", config.Default(500), nonNegative)
	fetchMax        = consumerDef.Int("fetch.max.bytes", config.Default(52_428_800), nonNegative)
	partitionMax    = consumerDef.Int("max.partition.fetch.bytes", config.Default(1_048_576), nonNegative)
	rack            = consumerDef.String("client.rack", anyText)
	crcs            = consumerDef.Boolean("check.crcs", config.Default(true))
	autoCommit      = consumerDef.Boolean("enable.auto.commit", config.Default(true))
	createTopics    = consumerDef.Boolean("allow.auto.create.topics", config.Default(true))
	excludeInternal = consumerDef.Boolean("exclude.internal.topics", config.Default(true))
	consumerInt     = consumerDef.List("interceptor.classes", config.Default([]string{}))
	consumerAPI     = consumerDef.Int(apiTimeoutKey, config.Default(60_000), nonNegative)

	_ = consumerDef.Int("auto.commit.interval.ms", config.Default(5000), nonNegative)
	_ = consumerDef.Class("key.deserializer", optional)
	_ = consumerDef.Class("value.deserializer", optional)
	_ = consumerDef.Boolean("internal.throw.on.fetch.stable.offset.unsupported", config.Default(false))
	_ = consumerDef.String("share.acknowledgement.mode", config.Default("implicit"), config.OneOf("implicit", "explicit"))
	_ = consumerDef.String("share.acquire.mode", config.Default("batch_optimized"), config.OneOfFold("batch_optimized", "record_limit"))
)

var inertConsumer = merge(inertCommon, map[string]string{
	"auto.commit.interval.ms":                           "the worker commits every offset.flush.interval.ms",
	"key.deserializer":                                  "records are bytes until the converters read them",
	"value.deserializer":                                "records are bytes until the converters read them",
	"internal.throw.on.fetch.stable.offset.unsupported": "it is internal to the Java client",
	"share.acknowledgement.mode":                        "sinks do not use share groups",
	"share.acquire.mode":                                "sinks do not use share groups",
})

// defaultAssignors are Java's, in its order: the group runs range, eagerly, as long as one member offers range first.
var defaultAssignors = []string{assignorPackage + "RangeAssignor", assignorPackage + "CooperativeStickyAssignor"}

// fetchBudget bounds a fetch unless fetch.max.bytes is given: with many partitions, Java's 50 MB a fetch is memory that buys
// no speed.
const fetchBudget = 8 << 20

// resetDuration is ISO 8601 as far as Java's Duration.parse takes it, without signs.
var resetDuration = regexp.MustCompile(`^(?i:P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?)$`)

func checkReset(key string, v any) error {
	text, _ := v.(string)
	switch text {
	case earliest, latest, noReset:
		return nil
	}
	if _, ok := parseReset(text); ok {
		return nil
	}
	return config.Invalid(key, v, "Invalid value `"+text+"` for configuration "+key+
		". The value must be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.")
}

// parseReset reads by_duration:PT1H and the like.
func parseReset(text string) (time.Duration, bool) {
	iso, ok := strings.CutPrefix(text, byDuration)
	m := resetDuration.FindStringSubmatch(iso)
	if !ok || m == nil || strings.HasSuffix(strings.ToUpper(iso), "T") || len(iso) < len("P1D") {
		return 0, false
	}
	var total float64
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseFloat(m[i+1], 64)
		if err != nil {
			return 0, false
		}
		total += n * float64(unit)
	}
	return time.Duration(total), true
}

// consumerSettings are a consumer's properties as far as its own code needs them, and the options of its client.
type consumerSettings struct {
	opts         []kgo.Opt
	plain        []kgo.Opt // of a client that is in no group
	notes        []Note
	group        string
	instance     string // empty for a dynamic member
	classic      bool
	maxRecords   int
	pollInterval time.Duration
	metadataAge  time.Duration
	reset        string
	lookBack     time.Duration // of by_duration
	committed    bool          // reads committed records only
	internal     bool          // a pattern may match internal topics
	create       bool          // asking for a topic may create it
	apiTimeout   time.Duration
}

// readConsumer maps a consumer's properties.
func readConsumer(props map[string]string, log *slog.Logger) (*consumerSettings, error) {
	s, err := parse(consumerDef, props, inertConsumer)
	if err != nil {
		return nil, err
	}
	v := s.Values
	c := &consumerSettings{
		group:        groupID.Of(v),
		instance:     instanceID.Of(v),
		maxRecords:   int(pollRecords.Of(v)),
		pollInterval: max(time.Duration(pollInterval.Of(v))*time.Millisecond, minRequest),
		metadataAge:  millis(consumerCommon.metadataMaxAge.Of(v), minMetadataAge, maxMetadataAge),
		reset:        offsetReset.Of(v),
		committed:    isolation.Of(v) == "read_committed",
		internal:     !excludeInternal.Of(v),
		apiTimeout:   max(time.Duration(consumerAPI.Of(v))*time.Millisecond, time.Millisecond),
	}
	if c.group == "" {
		s.refuse(groupID.Name(), "must be set for a sink.")
	}
	if s.given(autoCommit.Name()) && autoCommit.Of(v) {
		s.note(autoCommit.Name(), "the worker commits what the task has flushed")
	}
	if list := consumerInt.Of(v); len(list) > 0 {
		s.refuse(consumerInt.Name(), "names the Java class %s, which cannot run in this worker.", strings.Join(list, ", "))
	}
	c.plain = consumerCommon.options(s, log)
	c.opts = append(slices.Clone(c.plain), c.fetching(s)...)
	c.opts = append(c.opts, c.membership(s)...)
	c.notes = s.notes
	return c, s.err()
}

func (c *consumerSettings) fetching(s *settings) []kgo.Opt {
	v := s.Values
	budget := max(fetchMax.Of(v), 1)
	if !s.given(fetchMax.Name()) {
		budget = min(budget, fetchBudget)
	}
	const maxRead, slack = 1 << 30, 1 << 20
	opts := []kgo.Opt{
		kgo.FetchMinBytes(max(fetchMin.Of(v), 1)),
		kgo.FetchMaxWait(max(time.Duration(fetchWait.Of(v))*time.Millisecond, minMetadataAge)),
		kgo.FetchMaxBytes(min(budget, maxRead)),
		kgo.FetchMaxPartitionBytes(max(partitionMax.Of(v), 1)),
		kgo.BrokerMaxReadBytes(int32(min(max(int64(budget)+slack, maxWrite), maxRead))), //nolint:gosec // bounded
		kgo.Rack(rack.Of(v)),
	}
	if c.committed {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if !crcs.Of(v) {
		opts = append(opts, kgo.DisableFetchCRCValidation())
	}
	c.create = createTopics.Of(v)
	return append(opts, c.resets()...)
}

// resets says where to begin without a committed offset, and where to go on when the offset is gone.
func (c *consumerSettings) resets() []kgo.Opt {
	var at kgo.Offset
	switch c.reset {
	case earliest:
		at = kgo.NewOffset().AtStart()
	case latest:
		at = kgo.NewOffset().AtEnd()
	case noReset:
		return []kgo.Opt{kgo.ConsumeStartOffset(kgo.NewOffset().AtCommitted()), kgo.ConsumeResetOffset(kgo.NoResetOffset())}
	default:
		c.lookBack, _ = parseReset(c.reset)
		at = kgo.LookbackOffset(c.lookBack)
	}
	return []kgo.Opt{kgo.ConsumeStartOffset(at), kgo.ConsumeResetOffset(at)}
}

func (c *consumerSettings) membership(s *settings) []kgo.Opt {
	v := s.Values
	opts := []kgo.Opt{
		kgo.ConsumerGroup(c.group),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.RebalanceTimeout(c.pollInterval),
	}
	if c.instance != "" {
		opts = append(opts, kgo.InstanceID(c.instance))
	}
	c.classic = strings.EqualFold(groupKind.Of(v), classic)
	if !c.classic {
		return append(opts, c.serverAssigns(s)...)
	}
	if session.Of(v) <= heartbeat.Of(v) {
		s.violates(heartbeat.Name(), "Heartbeat must be set lower than the session timeout")
	}
	return append(opts,
		kgo.SessionTimeout(max(time.Duration(session.Of(v))*time.Millisecond, minRequest)),
		kgo.HeartbeatInterval(max(time.Duration(heartbeat.Of(v))*time.Millisecond, time.Millisecond)),
		kgo.Balancers(balancers(s)...))
}

// serverAssigns maps group.protocol=consumer (KIP-848), where the broker assigns and keeps the timeouts.
func (c *consumerSettings) serverAssigns(s *settings) []kgo.Opt {
	for _, key := range []string{assignors.Name(), session.Name(), heartbeat.Name()} {
		if s.given(key) {
			s.violates(key, fmt.Sprintf("%s cannot be set when %s=CONSUMER", key, groupKind.Name()))
		}
	}
	balancer := kgo.StickyBalancer()
	switch name, _ := remote.Lookup(s.Values); name {
	case "", "uniform":
	case "range":
		balancer = kgo.RangeBalancer()
	default:
		s.refuse(remote.Name(), "is %s; supported are uniform and range.", name)
	}
	return []kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(balancer)}
}

// balancers maps assignors in the order in which they are offered to the group.
func balancers(s *settings) []kgo.GroupBalancer {
	known := map[string]func() kgo.GroupBalancer{
		assignorPackage + "RangeAssignor":             kgo.RangeBalancer,
		assignorPackage + "RoundRobinAssignor":        kgo.RoundRobinBalancer,
		assignorPackage + "StickyAssignor":            kgo.StickyBalancer,
		assignorPackage + "CooperativeStickyAssignor": kgo.CooperativeStickyBalancer,
	}
	var out []kgo.GroupBalancer
	for _, class := range assignors.Of(s.Values) {
		if balancer, ok := known[class]; ok {
			out = append(out, balancer())
			continue
		}
		s.refuse(assignors.Name(), "names the Java class %s, which cannot run in this worker; supported are RangeAssignor, "+
			"RoundRobinAssignor, StickyAssignor and CooperativeStickyAssignor of %s.", class, strings.TrimSuffix(assignorPackage, "."))
	}
	if len(out) == 0 && len(assignors.Of(s.Values)) == 0 {
		s.refuse(assignors.Name(), "must name at least one assignor.")
	}
	if len(out) == 0 {
		out = append(out, kgo.RangeBalancer())
	}
	return out
}
