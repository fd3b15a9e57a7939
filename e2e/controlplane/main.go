// Command controlplane is a whole Kubernetes control plane in one executable.
//
// The first argument, or the name that it is called by, chooses the program:
// etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok.
// "kwok-stages" prints the stages that make nodes and pods ready.
//
// With CONTROLPLANE_EXIT_WITH_STDIN=1 a program ends as soon as its standard
// input is closed. The harness holds the other end of that pipe, so that
// nothing outlives it, however it ends.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// A program reads os.Args as if it had an executable of its own and returns its exit code.
type program func() int

var programs = map[string]program{
	"etcd":                    etcd,
	"kube-apiserver":          kubeAPIServer,
	"kube-controller-manager": kubeControllerManager,
	"kube-scheduler":          kubeScheduler,
	"kubectl":                 kubectl,
	"kwok":                    kwok,
	"kwok-stages":             kwokStages,
}

func main() {
	name := filepath.Base(os.Args[0])
	if programs[name] == nil && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	run := programs[name]
	if run == nil {
		fmt.Fprintf(os.Stderr, "usage: controlplane {%s} [arguments]\n", strings.Join(names(), "|"))
		os.Exit(2)
	}
	if os.Getenv(exitWithStdin) == "1" {
		go exitWhenInputCloses()
	}
	os.Exit(run())
}

func names() []string {
	all := make([]string, 0, len(programs))
	for name := range programs {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}
