package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// noOrder is the place in its group of a key without a group.
const noOrder = -1

// Def is an ordered list of keys. It is built once, by one goroutine, and is
// then safe for concurrent use.
//
// The methods that define a key panic on what only a programmer can get wrong:
// a name defined twice, a default of another type, or a default that violates
// the key's own checks.
type Def struct {
	keys   []*key
	byName map[string]*key
}

// key is the definition behind a Key.
type key struct {
	name string
	// prefix is the part of name that Include or Embed put in front.
	prefix     string
	typ        Type
	hasDefault bool
	fallback   any
	importance Importance
	doc        string
	group      string
	order      int
	width      Width
	display    string
	dependents []string
	checks     []Check
	recommend  Recommender
	resolve    func(name string) (full string, ok bool)
}

// New returns a definition without keys.
func New() *Def {
	return &Def{byName: map[string]*key{}}
}

// MustMerge returns a definition with the keys of all defs, in order. It
// panics when a key is defined twice; use [Def.Include] for definitions that
// are only known at run time.
func MustMerge(defs ...*Def) *Def {
	all := New()
	for _, d := range defs {
		if err := all.Include("", d); err != nil {
			panic(err)
		}
	}
	return all
}

// Key is the handle of one key: it takes the typed value out of parsed
// [Values].
type Key[T Kind] struct {
	name string
}

// Kind lists the Go types of values: BOOLEAN is bool; STRING and CLASS are
// string; INT, SHORT and LONG are int32, int16 and int64; DOUBLE is float64;
// LIST is []string; PASSWORD is Password.
type Kind interface {
	bool | string | int32 | int16 | int64 | float64 | []string | Password
}

// Name returns the name of the key as defined, without prefixes of [Def.Include].
func (k Key[T]) Name() string { return k.name }

// Of returns the value of the key, and the zero value of T when it is null or
// v comes from a definition without the key. A slice belongs to v and must not
// be changed.
func (k Key[T]) Of(v Values) T {
	value, _ := k.Lookup(v)
	return value
}

// Lookup is [Key.Of] that tells null apart: ok is false for it.
func (k Key[T]) Lookup(v Values) (value T, ok bool) {
	value, ok = v.get(k.name).(T)
	return value, ok
}

// Boolean defines a key of type BOOLEAN: true or false in any case.
func (d *Def) Boolean(name string, opts ...Option) Key[bool] {
	return define[bool](d, name, TypeBoolean, opts)
}

// String defines a key of type STRING. Blanks around a value are cut off.
func (d *Def) String(name string, opts ...Option) Key[string] {
	return define[string](d, name, TypeString, opts)
}

// Int defines a key of type INT, 32 bits.
func (d *Def) Int(name string, opts ...Option) Key[int32] {
	return define[int32](d, name, TypeInt, opts)
}

// Short defines a key of type SHORT, 16 bits.
func (d *Def) Short(name string, opts ...Option) Key[int16] {
	return define[int16](d, name, TypeShort, opts)
}

// Long defines a key of type LONG, 64 bits.
func (d *Def) Long(name string, opts ...Option) Key[int64] {
	return define[int64](d, name, TypeLong, opts)
}

// Double defines a key of type DOUBLE, in all forms that Java reads.
func (d *Def) Double(name string, opts ...Option) Key[float64] {
	return define[float64](d, name, TypeDouble, opts)
}

// List defines a key of type LIST: texts separated by commas, with white space
// around the commas dropped. The empty text is the empty list.
func (d *Def) List(name string, opts ...Option) Key[[]string] {
	return define[[]string](d, name, TypeList, opts)
}

// Class defines a key of type CLASS. With [Resolve] the value is the full name
// of an installed class; without it any text is taken as given.
func (d *Def) Class(name string, opts ...Option) Key[string] {
	return define[string](d, name, TypeClass, opts)
}

// Password defines a key of type PASSWORD. Its value never shows in messages,
// descriptions or logs.
func (d *Def) Password(name string, opts ...Option) Key[Password] {
	return define[Password](d, name, TypePassword, opts)
}

func define[T Kind](d *Def, name string, typ Type, opts []Option) Key[T] {
	k := &key{name: name, typ: typ, importance: Medium, order: noOrder, display: name}
	for _, o := range opts {
		o.apply(k)
	}
	if err := k.settleDefault(); err != nil {
		panic(err)
	}
	if err := d.add(k); err != nil {
		panic(err)
	}
	return Key[T]{name: name}
}

func (k *key) settleDefault() error {
	if !k.hasDefault {
		return nil
	}
	if k.fallback != nil {
		v, ok := convert(k.typ, k.fallback)
		if !ok {
			return fmt.Errorf("default %v of configuration %s is no %s", k.fallback, k.name, k.typ)
		}
		k.fallback = v
	}
	if err := k.verify(k.fallback); err != nil {
		return err
	}
	return nil
}

// convert brings a default, as a programmer writes it, to the type of values.
func convert(typ Type, v any) (any, bool) {
	switch v := v.(type) {
	case int:
		return convertInt(typ, v)
	case string:
		if typ == TypePassword {
			return NewPassword(v), true
		}
		return v, typ == TypeString || typ == TypeClass
	case bool:
		return v, typ == TypeBoolean
	case float64:
		return v, typ == TypeDouble
	case int32:
		return v, typ == TypeInt
	case int16:
		return v, typ == TypeShort
	case int64:
		return v, typ == TypeLong
	case []string:
		return slices.Clone(v), typ == TypeList
	case Password:
		return v, typ == TypePassword
	}
	return nil, false
}

func convertInt(typ Type, n int) (any, bool) {
	switch typ {
	case TypeInt:
		return int32(n), int(int32(n)) == n
	case TypeShort:
		return int16(n), int(int16(n)) == n
	case TypeLong:
		return int64(n), true
	case TypeDouble:
		return float64(n), true
	default:
		return nil, false
	}
}

func (d *Def) add(k *key) error {
	if _, ok := d.byName[k.name]; ok {
		return &Error{Key: k.name, Message: "Configuration " + k.name + " is defined twice."}
	}
	d.keys = append(d.keys, k)
	d.byName[k.name] = k
	return nil
}

// Include adds the keys of other with prefix in front of their names. Groups,
// order and display names stay. Messages of checks name a key without the
// prefix, all others with it, as Connect does for transformations. Recommenders
// of other see the values without the prefix; to read them with the keys of
// other use [Values.Sub].
//
// Include is an error, and adds nothing, if a name is already defined.
func (d *Def) Include(prefix string, other *Def) error {
	return d.include(other.keys, func(k *key) {
		k.addPrefix(prefix)
	})
}

// Embed is [Def.Include] in the form that Connect gives to the keys of
// transformations and predicates: sorted by their own group and order, then
// required ones first, then by importance and name; put into group (a key with
// a group g of its own into "group: g") and numbered from order on.
func (d *Def) Embed(prefix, group string, order int, other *Def) error {
	return d.include(other.sorted(), func(k *key) {
		k.addPrefix(prefix)
		if k.group == "" {
			k.group = group
		} else {
			k.group = group + ": " + k.group
		}
		k.order = order
		order++
	})
}

func (d *Def) include(keys []*key, change func(*key)) error {
	added := make([]*key, 0, len(keys))
	for _, k := range keys {
		c := *k
		change(&c)
		if _, ok := d.byName[c.name]; ok {
			return &Error{Key: c.name, Message: "Configuration " + c.name + " is defined twice."}
		}
		added = append(added, &c)
	}
	for _, k := range added {
		if err := d.add(k); err != nil {
			return err
		}
	}
	return nil
}

func (k *key) addPrefix(prefix string) {
	k.name = prefix + k.name
	k.prefix = prefix + k.prefix
	dependents := make([]string, len(k.dependents))
	for i, name := range k.dependents {
		dependents[i] = prefix + name
	}
	k.dependents = dependents
}

// sorted returns the keys in the order of Connect's embedded definitions:
// groups in the order of their first key, keys without group first.
func (d *Def) sorted() []*key {
	groups := map[string]int{"": 0}
	for _, k := range d.keys {
		if _, ok := groups[k.group]; !ok {
			groups[k.group] = len(groups)
		}
	}
	keys := slices.Clone(d.keys)
	slices.SortStableFunc(keys, func(a, b *key) int {
		return cmp.Or(
			cmp.Compare(groups[a.group], groups[b.group]),
			cmp.Compare(a.order, b.order),
			compareBool(a.hasDefault, b.hasDefault),
			cmp.Compare(a.importance, b.importance),
			strings.Compare(a.name, b.name),
		)
	})
	return keys
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// Has reports whether name is defined.
func (d *Def) Has(name string) bool {
	_, ok := d.byName[name]
	return ok
}

// KeyInfo describes one key, for validation answers, forms and documentation.
type KeyInfo struct {
	Name     string
	Type     Type
	Required bool
	// Default is nil for required keys and for a default of null. The default
	// of a PASSWORD shows as [hidden].
	Default    *string
	Importance Importance
	Doc        string
	// Group is empty, and Order -1, for keys without a group. Connect's
	// answers show such a group as null.
	Group       string
	Order       int
	Width       Width
	DisplayName string
	// Dependents is never nil.
	Dependents []string
	// Valid says in words what values the checks accept; empty means all.
	Valid string
	// Allowed lists the accepted values of keys with a closed set of them, for
	// forms; nil for all others.
	Allowed []string
}

// Keys describes all keys in order. The result is the caller's.
func (d *Def) Keys() []KeyInfo {
	infos := make([]KeyInfo, len(d.keys))
	for i, k := range d.keys {
		infos[i] = k.info()
	}
	return infos
}

// Lookup describes the key called name.
func (d *Def) Lookup(name string) (info KeyInfo, ok bool) {
	k, ok := d.byName[name]
	if !ok {
		return KeyInfo{}, false
	}
	return k.info(), true
}

func (k *key) info() KeyInfo {
	info := KeyInfo{
		Name:        k.name,
		Type:        k.typ,
		Required:    !k.hasDefault,
		Importance:  k.importance,
		Doc:         k.doc,
		Group:       k.group,
		Order:       k.order,
		Width:       k.width,
		DisplayName: k.display,
		Dependents:  append([]string{}, k.dependents...),
	}
	if k.hasDefault {
		info.Default = valueText(k.fallback)
	}
	var words []string
	for _, c := range k.checks {
		if c.text != "" {
			words = append(words, c.text)
		}
		if c.allowed != nil {
			info.Allowed = slices.Clone(c.allowed)
		}
	}
	info.Valid = strings.Join(words, ", ")
	return info
}
