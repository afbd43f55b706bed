// Renders a Helm chart's templates as Helm does, with the same template language (Go's) and the
// same functions (sprig): usage: render CHART RELEASE NAMESPACE VALUES…; each VALUES is a file laid
// over the chart's own. It prints the documents one behind the other.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

type files struct{ root string }

func (f files) Get(name string) string {
	text, err := os.ReadFile(filepath.Join(f.root, name))
	if err != nil {
		return ""
	}
	return string(text)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func readYaml(path string) map[string]interface{} {
	text, err := os.ReadFile(path)
	fail(err)
	values := map[string]interface{}{}
	fail(yaml.Unmarshal(text, &values))
	return values
}

func lay(over, under map[string]interface{}) {
	for key, value := range over {
		above, isMap := value.(map[string]interface{})
		below, wasMap := under[key].(map[string]interface{})
		if isMap && wasMap {
			lay(above, below)
		} else {
			under[key] = value
		}
	}
}

func main() {
	chart := os.Args[1]
	values := readYaml(filepath.Join(chart, "values.yaml"))
	for _, path := range os.Args[4:] {
		lay(readYaml(path), values)
	}
	all := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	functions["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		fail(err)
		return strings.TrimSuffix(string(text), "\n")
	}
	functions["include"] = func(name string, value interface{}) (string, error) {
		var out bytes.Buffer
		err := all.ExecuteTemplate(&out, name, value)
		return out.String(), err
	}
	functions["required"] = func(text string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", text)
		}
		return value, nil
	}
	all.Funcs(functions)
	paths, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	fail(err)
	sort.Strings(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		fail(err)
		_, err = all.New(filepath.Base(path)).Parse(string(text))
		fail(err)
	}
	top := map[string]interface{}{
		"Values":  values,
		"Chart":   readYaml(filepath.Join(chart, "Chart.yaml")),
		"Release": map[string]interface{}{"Name": os.Args[2], "Namespace": os.Args[3]},
		"Files":   files{chart},
	}
	for _, path := range paths {
		if strings.HasSuffix(path, ".tpl") {
			continue
		}
		var out bytes.Buffer
		fail(all.ExecuteTemplate(&out, filepath.Base(path), top))
		if text := strings.TrimSpace(out.String()); text != "" {
			fmt.Printf("---\n%s\n", strings.TrimPrefix(text, "---\n"))
		}
	}
}
