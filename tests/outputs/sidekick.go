// Takes alerts by POST as Falcosidekick decodes them, with Go's own encoding/json. Prints its port,
// and when its input ends, what it took as one line of JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// The keys that Falcosidekick reads, and their types.
type alert struct {
	UUID     string         `json:"uuid"`
	Output   string         `json:"output"`
	Priority string         `json:"priority"`
	Rule     string         `json:"rule"`
	Time     time.Time      `json:"time"`
	Fields   map[string]any `json:"output_fields"`
	Source   string         `json:"source"`
	Tags     []string       `json:"tags"`
	Hostname string         `json:"hostname"`
	// Ours: one whose answer came too late comes again.
	ID string `json:"id"`
}

type told struct {
	Taken      int            `json:"taken"`
	Complaints []string       `json:"complaints"`
	Rules      map[string]int `json:"rules"`
	Kinds      map[string]int `json:"kinds"`
}

func check(one alert) error {
	if one.UUID != "" || one.Priority == "" || one.Rule == "" || one.Output == "" {
		return errors.New("a text is there that should not be, or is not there that should")
	}
	if one.Time.IsZero() || len(one.Fields) == 0 || one.Source == "" || one.Hostname == "" {
		return errors.New("no time, fields, source or hostname")
	}
	for _, name := range []string{"k8s.ns.name", "k8s.pod.name"} {
		if value, isText := one.Fields[name].(string); !isText && one.Fields[name] != nil {
			return fmt.Errorf("%s is no text: %v", name, value)
		}
	}
	return nil
}

func main() {
	all := told{Complaints: []string{}, Rules: map[string]int{}, Kinds: map[string]int{}}
	var guard sync.Mutex
	taken := map[string]bool{}
	take := func(answer http.ResponseWriter, request *http.Request) {
		var one alert
		decoder := json.NewDecoder(request.Body)
		decoder.UseNumber()
		err := decoder.Decode(&one)
		if err == nil {
			err = check(one)
		}
		guard.Lock()
		defer guard.Unlock()
		if err != nil {
			if len(all.Complaints) < 5 {
				all.Complaints = append(all.Complaints, fmt.Sprintf("%v: %v", err, one))
			}
			answer.WriteHeader(http.StatusBadRequest)
			return
		}
		if taken[one.ID] {
			return
		}
		taken[one.ID] = true
		all.Taken++
		all.Rules[one.Rule]++
		for _, value := range one.Fields {
			all.Kinds[fmt.Sprintf("%T", value)]++
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, http.HandlerFunc(take))
	io.Copy(io.Discard, os.Stdin)
	guard.Lock()
	line, _ := json.Marshal(all)
	fmt.Println(string(line))
}
