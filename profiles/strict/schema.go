package strict

import (
	"encoding/json"
	"reflect"
	"strconv"
)

// schema is the part of JSON Schema (draft 2020-12) that the format needs.
type schema struct {
	Schema      string            `json:"$schema,omitempty"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Type        string            `json:"type,omitempty"`
	Const       string            `json:"const,omitempty"`
	Pattern     string            `json:"pattern,omitempty"`
	Minimum     *int              `json:"minimum,omitempty"`
	Maximum     *int              `json:"maximum,omitempty"`
	Properties  map[string]schema `json:"properties,omitempty"`
	Patterns    map[string]schema `json:"patternProperties,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Additional  *bool             `json:"additionalProperties,omitempty"`
	Items       *schema           `json:"items,omitempty"`
	AnyOf       []schema          `json:"anyOf,omitempty"`
}

// Schema returns the JSON schema of the format that the type T defines, for editors.
func Schema[T any](title string) ([]byte, error) {
	s := schemaOf(reflect.TypeFor[T]())
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", title
	s.Patterns = map[string]schema{"^x-": {Description: "for anchors and for other programs; lab ignores it"}}
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

func schemaOf(t reflect.Type) schema {
	switch t.Kind() {
	case reflect.Struct:
		if _, ok := reflect.New(t).Interface().(positioned); ok {
			return schema{Type: "string"}
		}
		return structSchema(t)
	case reflect.Slice:
		items := schemaOf(t.Elem())
		return schema{Type: "array", Items: &items}
	case reflect.Map:
		return schema{Type: "object"}
	case reflect.Int:
		return schema{Type: "integer"}
	case reflect.Bool:
		return schema{Type: "boolean"}
	}
	s := schema{Type: "string"}
	if c, ok := reflect.Zero(t).Interface().(Checked); ok {
		s.Pattern = c.Pattern()
	}
	return s
}

func structSchema(t reflect.Type) schema {
	closed := false
	s := schema{Type: "object", Properties: map[string]schema{}, Additional: &closed}
	for i := range t.NumField() {
		f := t.Field(i)
		field := schemaOf(f.Type)
		field.Description, field.Const = f.Tag.Get("doc"), f.Tag.Get("want")
		if highest, err := strconv.Atoi(f.Tag.Get("max")); err == nil {
			field.Minimum, field.Maximum = new(int), &highest
		}
		s.Properties[KeyOf(f)] = field
		if f.Tag.Get("need")+f.Tag.Get("want") != "" {
			s.Required = append(s.Required, KeyOf(f))
		}
	}
	if short, ok := reflect.New(t).Interface().(Shortened); ok {
		return schema{AnyOf: []schema{schemaOf(reflect.TypeOf(short.Short()).Elem()), s}}
	}
	return s
}
