// Renders a Helm chart's templates as Helm does, with the same template language (Go's) and the
// same functions (sprig): usage: render CHART RELEASE NAMESPACE VALUES…; each VALUES is a file laid
// over the chart's own. It prints the documents one behind the other, for a cluster of the version
// KUBE_VERSION, or of the oldest that the chart is for.
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

// What others need comes first, as Helm installs it: pods of an account that is not there yet are
// refused, and made again after a pause only.
var kinds = []string{
	"ServiceAccount", "ConfigMap", "ClusterRole", "ClusterRoleBinding", "Service", "DaemonSet",
}

func rank(document string) int {
	for at, kind := range kinds {
		if strings.Contains("\n"+document, "\nkind: "+kind+"\n") {
			return at
		}
	}
	return len(kinds)
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
	version := os.Getenv("KUBE_VERSION")
	if version == "" {
		version = "v1.21.0"
	}
	// Helm gives the chart's keys with a capital.
	about := map[string]interface{}{}
	for key, value := range readYaml(filepath.Join(chart, "Chart.yaml")) {
		about[strings.ToUpper(key[:1])+key[1:]] = value
	}
	top := map[string]interface{}{
		"Values":       values,
		"Chart":        about,
		"Release":      map[string]interface{}{"Name": os.Args[2], "Namespace": os.Args[3]},
		"Files":        files{chart},
		"Capabilities": map[string]interface{}{"KubeVersion": map[string]interface{}{"Version": version}},
	}
	var documents []string
	for _, path := range paths {
		// What Helm tells at the end of an installation is no document.
		if strings.HasSuffix(path, ".tpl") || strings.HasSuffix(path, ".txt") {
			continue
		}
		var out bytes.Buffer
		fail(all.ExecuteTemplate(&out, filepath.Base(path), top))
		for _, text := range strings.Split("\n"+out.String(), "\n---\n") {
			if text = strings.TrimSpace(text); text != "" {
				documents = append(documents, text)
			}
		}
	}
	sort.SliceStable(documents, func(a, b int) bool { return rank(documents[a]) < rank(documents[b]) })
	for _, text := range documents {
		fmt.Printf("---\n%s\n", text)
	}
}
