// Package config describes configurations of Kafka Connect: workers,
// connectors, converters, transformations and predicates all declare their
// keys in a [Def], and from that one definition come the typed values, the
// defaults, the checks, the answers of the validation resource, forms and the
// reference in the documentation.
//
//	var (
//		def   = config.New()
//		file  = def.String("file", config.Doc("Source file."), config.Default(""), config.Low)
//		topic = def.String("topic", config.NonEmpty, config.High)
//		size  = def.Int("batch.size", config.Default(2000), config.AtLeast(1), config.Low)
//	)
//
//	v, err := def.Parse(props) // every violation at once, each with its key
//	name, n := topic.Of(v), size.Of(v)
//
// A key without default is required, as in Connect; [NullDefault] makes one
// optional without giving it a value. All messages are Connect's.
//
// The package also reads and writes Java's .properties files.
package config

// Type is the type of a key.
type Type uint8

// The types of Connect.
const (
	TypeBoolean Type = iota
	TypeString
	TypeInt
	TypeShort
	TypeLong
	TypeDouble
	TypeList
	TypeClass
	TypePassword
)

var typeNames = [...]string{"BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}

// String returns Connect's name of the type, such as INT.
func (t Type) String() string { return typeNames[t] }

// Importance tells users how likely it is that they must set a key. It is
// itself an [Option]; keys without one are Medium.
type Importance uint8

// The degrees of importance, in the order in which Connect sorts them.
const (
	High Importance = iota
	Medium
	Low
)

var importanceNames = [...]string{"HIGH", "MEDIUM", "LOW"}

// String returns Connect's name of the importance, such as HIGH.
func (i Importance) String() string { return importanceNames[i] }

func (i Importance) apply(k *key) { k.importance = i }

// Width is the space that a form should give to a value. It is itself an
// [Option]; keys without one have WidthNone.
type Width uint8

// The widths of Connect.
const (
	WidthNone Width = iota
	WidthShort
	WidthMedium
	WidthLong
)

var widthNames = [...]string{"NONE", "SHORT", "MEDIUM", "LONG"}

// String returns Connect's name of the width, such as SHORT.
func (w Width) String() string { return widthNames[w] }

func (w Width) apply(k *key) { k.width = w }
