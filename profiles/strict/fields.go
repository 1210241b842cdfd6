package strict

import (
	"reflect"
	"slices"
	"strings"
)

// Object is a mapping whose keys are known only at run time.
type Object []Field

// Field is a key of an [Object]. Key may be the path of a nested one, with dots. Into is a pointer to the
// value, which is stored only if the file has no problems. If Want is not "", it is the only valid value
// and required, and Into is nil.
type Field struct {
	Key, Want string
	Into      any
}

// field is a key of a mapping: a field of a struct or of an [Object].
type field struct {
	key, want string
	tag       reflect.StructTag
	value     reflect.Value
	into      reflect.Value // of an Object: where the value is stored at the end
}

// fieldsOf returns the fields of a struct or an Object, in their order.
func fieldsOf(v reflect.Value) []field {
	var all []field
	if v.Type() == reflect.TypeFor[Object]() {
		for _, f := range v.Interface().(Object) {
			all = f.addTo(all)
		}
		return all
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			all = append(all, fieldsOf(v.Field(i))...)
			continue
		}
		all = append(all, field{key: KeyOf(f), want: f.Tag.Get("want"), tag: f.Tag, value: v.Field(i)})
	}
	return all
}

// addTo returns all with f, below the parents that its path names.
func (f Field) addTo(all []field) []field {
	key, rest, nested := strings.Cut(f.Key, ".")
	switch i := slices.IndexFunc(all, func(g field) bool { return g.key == key }); {
	case f.Want != "":
		return append(all, field{key: key, want: f.Want, value: reflect.ValueOf(new(string)).Elem()})
	case !nested:
		into := reflect.ValueOf(f.Into).Elem()
		return append(all, field{key: key, value: reflect.New(into.Type()).Elem(), into: into})
	case i < 0:
		return append(all, field{key: key, value: reflect.ValueOf(Object{{Key: rest, Into: f.Into}})})
	default:
		all[i].value = reflect.ValueOf(append(all[i].value.Interface().(Object), Field{Key: rest, Into: f.Into}))
		return all
	}
}

// KeyOf returns the key of a field in a file.
func KeyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}

// head returns how a file of v must start, for messages.
func head(v reflect.Value) string {
	var lines []string
	for _, f := range fieldsOf(v) {
		if f.want != "" {
			lines = append(lines, f.key+": "+f.want)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "; it must start with " + strings.Join(lines, " and ")
}
