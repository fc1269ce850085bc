package javaregex

import (
	"strings"
	"unicode"
)

var (
	digitSet   = set{{'0', '9'}}
	wordSet    = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	spaceSet   = set{{'\t', '\r'}, {' ', ' '}}
	alphaSet   = set{{'A', 'Z'}, {'a', 'z'}}
	newlineSet = set{{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}
	// verticalSet is \v, and the single characters of \R.
	verticalSet   = set{{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}
	horizontalSet = runeSet("\t \u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
)

// posix are the ASCII classes of \p{...}.
var posix = map[string]set{
	"Lower":  {{'a', 'z'}},
	"Upper":  {{'A', 'Z'}},
	"ASCII":  {{0, unicode.MaxASCII}},
	"Alpha":  alphaSet,
	"Digit":  digitSet,
	"Alnum":  {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}},
	"Punct":  {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}},
	"Graph":  {{'!', '~'}},
	"Print":  {{' ', '~'}},
	"Blank":  {{'\t', '\t'}, {' ', ' '}},
	"Cntrl":  {{0, 0x1F}, {0x7F, 0x7F}},
	"XDigit": {{'0', '9'}, {'A', 'F'}, {'a', 'f'}},
	"Space":  spaceSet,
}

// posixUnicode names the Unicode properties that stand for POSIX classes under
// the flag U.
var posixUnicode = map[string]string{
	"Lower": "LOWERCASE", "Upper": "UPPERCASE", "Alpha": "ALPHABETIC", "Digit": "DIGIT", "Alnum": "ALNUM",
	"Punct": "PUNCTUATION", "Graph": "GRAPH", "Print": "PRINT", "Blank": "BLANK", "Cntrl": "CONTROL",
	"XDigit": "XDIGIT", "Space": "WHITE_SPACE",
}

// blocks are the Unicode blocks that \p{In...} knows here; the standard
// library has no table of them.
var blocks = map[string]span{
	"BASICLATIN":                  {0, 0x7F},
	"LATIN-1SUPPLEMENT":           {0x80, 0xFF},
	"LATINEXTENDED-A":             {0x100, 0x17F},
	"LATINEXTENDED-B":             {0x180, 0x24F},
	"COMBININGDIACRITICALMARKS":   {0x300, 0x36F},
	"GREEK":                       {0x370, 0x3FF},
	"GREEKANDCOPTIC":              {0x370, 0x3FF},
	"CYRILLIC":                    {0x400, 0x4FF},
	"ARMENIAN":                    {0x530, 0x58F},
	"HEBREW":                      {0x590, 0x5FF},
	"ARABIC":                      {0x600, 0x6FF},
	"DEVANAGARI":                  {0x900, 0x97F},
	"THAI":                        {0xE00, 0xE7F},
	"HANGULJAMO":                  {0x1100, 0x11FF},
	"LATINEXTENDEDADDITIONAL":     {0x1E00, 0x1EFF},
	"GREEKEXTENDED":               {0x1F00, 0x1FFF},
	"GENERALPUNCTUATION":          {0x2000, 0x206F},
	"CURRENCYSYMBOLS":             {0x20A0, 0x20CF},
	"ARROWS":                      {0x2190, 0x21FF},
	"MATHEMATICALOPERATORS":       {0x2200, 0x22FF},
	"BOXDRAWING":                  {0x2500, 0x257F},
	"CJKSYMBOLSANDPUNCTUATION":    {0x3000, 0x303F},
	"HIRAGANA":                    {0x3040, 0x309F},
	"KATAKANA":                    {0x30A0, 0x30FF},
	"CJKUNIFIEDIDEOGRAPHS":        {0x4E00, 0x9FFF},
	"HANGULSYLLABLES":             {0xAC00, 0xD7AF},
	"PRIVATEUSEAREA":              {0xE000, 0xF8FF},
	"HALFWIDTHANDFULLWIDTHFORMS":  {0xFF00, 0xFFEF},
	"EMOTICONS":                   {0x1F600, 0x1F64F},
	"MISCELLANEOUSSYMBOLS":        {0x2600, 0x26FF},
	"CJKCOMPATIBILITYIDEOGRAPHS":  {0xF900, 0xFAFF},
	"ENCLOSEDALPHANUMERICS":       {0x2460, 0x24FF},
	"SUPERSCRIPTSANDSUBSCRIPTS":   {0x2070, 0x209F},
	"LETTERLIKESYMBOLS":           {0x2100, 0x214F},
	"NUMBERFORMS":                 {0x2150, 0x218F},
	"SPACINGMODIFIERLETTERS":      {0x2B0, 0x2FF},
	"IPAEXTENSIONS":               {0x250, 0x2AF},
	"CYRILLICSUPPLEMENTARY":       {0x500, 0x52F},
	"ALPHABETICPRESENTATIONFORMS": {0xFB00, 0xFB4F},
}

// scriptCodes are the ISO 15924 codes of common scripts.
var scriptCodes = map[string]string{
	"ARAB": "Arabic", "ARMN": "Armenian", "BENG": "Bengali", "CYRL": "Cyrillic", "DEVA": "Devanagari",
	"ETHI": "Ethiopic", "GEOR": "Georgian", "GREK": "Greek", "HANG": "Hangul", "HANI": "Han",
	"HEBR": "Hebrew", "HIRA": "Hiragana", "KANA": "Katakana", "LATN": "Latin", "TAML": "Tamil",
	"THAI": "Thai", "ZINH": "Inherited", "ZYYY": "Common",
}

// categorySet returns a general category such as Lu, or a class that Java
// lists among them.
func categorySet(name string) (set, bool) {
	switch name {
	case "C":
		return tableSet(unicode.C).union(unassigned()), true
	case "Cn":
		return unassigned(), true
	case "LC":
		return tableSet(unicode.Lu, unicode.Ll, unicode.Lt), true
	case "LD":
		return tableSet(unicode.L, unicode.Nd), true
	case "L1":
		return set{{0, unicode.MaxLatin1}}, true
	case "all":
		return set{{0, unicode.MaxRune}}, true
	}
	if len(name) > 2 {
		return nil, false
	}
	t, ok := unicode.Categories[name]
	if !ok {
		return nil, false
	}
	return tableSet(t), true
}

func unassigned() set {
	return tableSet(unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z,
		unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs).negate()
}

// binarySet returns a Unicode property by its name in capitals.
func binarySet(name string) (set, bool) { //nolint:gocyclo // a table
	switch name {
	case "ALPHABETIC":
		return tableSet(unicode.L, unicode.Nl, unicode.Other_Alphabetic), true
	case "LETTER":
		return tableSet(unicode.L), true
	case "IDEOGRAPHIC":
		return tableSet(unicode.Ideographic), true
	case "LOWERCASE":
		return tableSet(unicode.Ll, unicode.Other_Lowercase), true
	case "UPPERCASE":
		return tableSet(unicode.Lu, unicode.Other_Uppercase), true
	case "TITLECASE":
		return tableSet(unicode.Lt), true
	case "WHITE_SPACE", "WHITESPACE":
		return tableSet(unicode.White_Space), true
	case "CONTROL":
		return tableSet(unicode.Cc), true
	case "PUNCTUATION":
		return tableSet(unicode.P), true
	case "HEX_DIGIT", "HEXDIGIT", "XDIGIT":
		return tableSet(unicode.Hex_Digit, unicode.Nd), true
	case "ASSIGNED":
		return unassigned().negate(), true
	case "NONCHARACTER_CODE_POINT", "NONCHARACTERCODEPOINT":
		return tableSet(unicode.Noncharacter_Code_Point), true
	case "DIGIT":
		return tableSet(unicode.Nd), true
	case "ALNUM":
		return tableSet(unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.Nd), true
	case "BLANK":
		return tableSet(unicode.Zs).union(single('\t')), true
	case "GRAPH":
		return graphSet(), true
	case "PRINT":
		return graphSet().union(tableSet(unicode.Zs)), true
	case "WORD":
		return unicodeWordSet(), true
	case "JOIN_CONTROL", "JOINCONTROL":
		return tableSet(unicode.Join_Control), true
	}
	return nil, false
}

func graphSet() set {
	return tableSet(unicode.White_Space, unicode.Cc, unicode.Cs).union(unassigned()).negate()
}

func unicodeWordSet() set {
	return tableSet(unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}

// methodSet returns the characters for which a boolean method of
// java.lang.Character holds, by the name of the method without "is".
func methodSet(name string) (set, bool) {
	switch name {
	case "LowerCase":
		return binarySet("LOWERCASE")
	case "UpperCase":
		return binarySet("UPPERCASE")
	case "TitleCase":
		return binarySet("TITLECASE")
	case "Alphabetic":
		return binarySet("ALPHABETIC")
	case "Ideographic":
		return binarySet("IDEOGRAPHIC")
	case "Digit":
		return binarySet("DIGIT")
	case "Defined":
		return binarySet("ASSIGNED")
	case "Letter":
		return tableSet(unicode.L), true
	case "LetterOrDigit":
		return tableSet(unicode.L, unicode.Nd), true
	case "SpaceChar":
		return tableSet(unicode.Z), true
	case "Whitespace":
		noBreak := runeSet("\u00a0\u2007\u202f")
		return tableSet(unicode.Z).minus(noBreak).union(set{{'\t', '\r'}, {0x1C, 0x1F}}), true
	case "ISOControl":
		return set{{0, 0x1F}, {0x7F, 0x9F}}, true
	case "JavaIdentifierStart":
		return tableSet(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc), true
	case "JavaIdentifierPart":
		ignorable := tableSet(unicode.Cf).union(set{{0, 8}, {0x0E, 0x1B}, {0x7F, 0x9F}})
		return tableSet(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn).union(ignorable), true
	}
	return nil, false
}

func scriptSet(name string) (set, bool) {
	if full, ok := scriptCodes[strings.ToUpper(name)]; ok {
		name = full
	}
	for script, table := range unicode.Scripts {
		if strings.EqualFold(script, name) {
			return tableSet(table), true
		}
	}
	return nil, false
}

func blockSet(name string) (set, bool) {
	name = strings.ToUpper(name)
	b, ok := blocks[strings.NewReplacer(" ", "", "_", "").Replace(name)]
	return set{b}, ok
}

// propertySet resolves the name between the braces of \p.
func propertySet(name string, f flags) (set, bool) {
	if key, value, ok := strings.Cut(name, "="); ok {
		return keyedSet(strings.ToLower(key), value)
	}
	if f.has(flagCase) && ignoresCase(name) {
		return caselessSet(name, f), true
	}
	if s, ok := posixSet(name, f); ok {
		return s, true
	}
	switch {
	case strings.HasPrefix(name, "In"):
		return blockSet(name[2:])
	case strings.HasPrefix(name, "Is"):
		return isSet(name[2:], f)
	case strings.HasPrefix(name, "java"):
		return methodSet(name[4:])
	}
	return categorySet(name)
}

func posixSet(name string, f flags) (set, bool) {
	if f.has(flagUnicodeClass) {
		if s, ok := binarySet(posixUnicode[name]); ok {
			return s, true
		}
	}
	s, ok := posix[name]
	return s, ok
}

func isSet(name string, f flags) (set, bool) {
	if s, ok := binarySet(strings.ToUpper(name)); ok {
		return s, true
	}
	if s, ok := categorySet(name); ok {
		return s, true
	}
	if s, ok := posixSet(name, f|flagUnicodeClass); ok {
		return s, true
	}
	return scriptSet(name)
}

func keyedSet(key, value string) (set, bool) {
	switch key {
	case "sc", "script":
		return scriptSet(value)
	case "blk", "block":
		return blockSet(value)
	case "gc", "general_category":
		return categorySet(value)
	}
	return nil, false
}

// ignoresCase reports the classes of one letter case, which without case mean
// all cased letters.
func ignoresCase(name string) bool {
	name = strings.TrimPrefix(name, "Is")
	switch name {
	case "Lower", "Upper", "Lu", "Ll", "Lt", "javaLowerCase", "javaUpperCase", "javaTitleCase":
		return true
	}
	switch strings.ToUpper(name) {
	case "LOWERCASE", "UPPERCASE", "TITLECASE":
		return true
	}
	return false
}

func caselessSet(name string, f flags) set {
	switch strings.TrimPrefix(name, "Is") {
	case "Lower", "Upper":
		if !f.has(flagUnicodeClass) && !strings.HasPrefix(name, "Is") {
			return alphaSet
		}
	case "Lu", "Ll", "Lt":
		return tableSet(unicode.Lu, unicode.Ll, unicode.Lt)
	}
	return tableSet(unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}
