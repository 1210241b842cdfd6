package profiles

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// Flag is a setting of a [Layer] as the value of a command-line flag. It implements the
// interface Value of pflag. A flag that was set has its origin in the layer, even if its value
// is zero.
type Flag struct {
	layer        *Layer
	path, origin string
	value        reflect.Value
}

// Flag returns the setting at path, such as "cluster.workers". It panics if there is no such
// setting. origin is the name of the flag, such as "--workers".
func (l *Layer) Flag(path, origin string) *Flag {
	v := reflect.ValueOf(&l.Profile).Elem()
	for key := range strings.SplitSeq(path, ".") {
		v = v.FieldByNameFunc(func(name string) bool {
			f, _ := v.Type().FieldByName(name)
			return strict.KeyOf(f) == key
		})
	}
	return &Flag{layer: l, path: path, origin: origin, value: v}
}

// Set sets the setting, or adds an item to a list. It returns an error if s does not have the
// type of the setting. [Profile.Spec] and [providers.Spec.Validate] check the value.
func (f *Flag) Set(s string) error {
	switch to := f.value.Addr().Interface().(type) {
	case *[]Addon:
		f.addAddons(to, s)
	case *TTL:
		d, err := time.ParseDuration(s)
		if err != nil {
			return err
		}
		*to = TTL(d.String())
	case *int:
		i, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", s)
		}
		*to = i
	default:
		f.setText(s)
	}
	f.given(f.path)
	return nil
}

// setText sets a text, or adds one to a list of texts.
func (f *Flag) setText(s string) {
	if f.value.Kind() == reflect.String {
		f.value.SetString(s)
		return
	}
	item := reflect.New(f.value.Type().Elem()).Elem()
	item.SetString(s)
	f.value.Set(reflect.Append(f.value, item))
}

// addAddons adds the addons of a list that is separated by commas.
func (f *Flag) addAddons(to *[]Addon, s string) {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			*to = append(*to, Addon{Name: Label(name)})
			f.given(strict.Join(f.path, name))
		}
	}
}

// given records the origin of a setting.
func (f *Flag) given(path string) {
	if f.layer.Origins == nil {
		f.layer.Origins = Origins{}
	}
	f.layer.Origins[path] = f.origin
}

// String returns the value, or "" if it is zero.
func (f *Flag) String() string {
	if !f.value.IsValid() || f.value.IsZero() { // pflag calls it on a zero Flag, too
		return ""
	}
	return fmt.Sprint(f.value.Interface())
}

// Texts returns texts with which Set sets the same value: one for each item of a list.
func (f *Flag) Texts() []string {
	if f.value.Kind() != reflect.Slice {
		return []string{fmt.Sprint(f.value.Interface())}
	}
	var all []string
	for i := range f.value.Len() {
		if addon, ok := f.value.Index(i).Interface().(Addon); ok {
			all = append(all, string(addon.Name))
			continue
		}
		all = append(all, fmt.Sprint(f.value.Index(i).Interface()))
	}
	return all
}

// Type returns the type for the help of the flag.
func (f *Flag) Type() string {
	switch f.value.Interface().(type) {
	case TTL:
		return "duration"
	case int:
		return "int"
	}
	if f.value.Kind() == reflect.Slice {
		return "stringArray"
	}
	return "string"
}
