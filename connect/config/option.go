package config

// Option is an attribute of a key. Importance, Width, Check, Rule and
// Validator are options, too.
type Option interface {
	apply(k *key)
}

type option func(k *key)

func (o option) apply(k *key) { o(k) }

// Presence says what holds for a key that is not given.
type Presence uint8

const (
	// Required makes a configuration without the key invalid. It is what holds
	// without any default; the option only says so.
	Required Presence = iota
	// NullDefault makes the key optional, with null as its value; see
	// [Key.Lookup].
	NullDefault
)

func (p Presence) apply(k *key) {
	k.hasDefault = p == NullDefault
	k.fallback = nil
}

// Default sets the value of a key that is not given, which makes it optional.
// The type of v is that of the key's values; an int is also taken for SHORT,
// LONG and DOUBLE, a string also for PASSWORD.
func Default(v any) Option {
	return option(func(k *key) { k.hasDefault, k.fallback = true, v })
}

// Doc sets the documentation: sentences for users, without markup.
func Doc(text string) Option {
	return option(func(k *key) { k.doc = text })
}

// Group puts the key into a group of a form, at the place order in it.
func Group(name string, order int) Option {
	return option(func(k *key) { k.group, k.order = name, order })
}

// Display sets the name that a form shows; without it the key's name shows.
func Display(name string) Option {
	return option(func(k *key) { k.display = name })
}

// Dependents names keys whose recommended values or visibility depend on this
// one.
func Dependents(names ...string) Option {
	return option(func(k *key) { k.dependents = names })
}

// Recommender returns values that a form should offer for a key, and whether
// it should show the key at all. v holds all parsed values; those that did not
// parse are null. It may be called by several goroutines at once.
type Recommender func(v Values) (values []string, visible bool)

// Recommend sets the recommender of a key. Without one nothing is recommended
// and the key is visible.
func Recommend(r Recommender) Option {
	return option(func(k *key) { k.recommend = r })
}

// Resolve sets how a key of type CLASS finds the full name of a class from a
// full name or an alias. With ok false the value is refused as a class that
// could not be found. It may be called by several goroutines at once.
func Resolve(find func(name string) (full string, ok bool)) Option {
	return option(func(k *key) { k.resolve = find })
}
