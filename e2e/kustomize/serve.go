package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// A request is one line of JSON: a tree, and what to build of it.
type request struct {
	// Files maps absolute paths to contents.
	Files map[string]string `json:"files"`
	// Target is the absolute path of the directory.
	Target string `json:"target"`
	// Reorder is the value of the flag; without one it is left out, as the command's own default.
	Reorder string `json:"reorder"`
	// Unrestricted lets a kustomization name files outside of its directory.
	Unrestricted bool `json:"unrestricted"`
}

// A response is one line of JSON: the objects in order, or an error.
type response struct {
	Objects []json.RawMessage `json:"objects"`
	Error   string            `json:"error,omitempty"`
	// Panicked tells that the error is a crash of kustomize.
	Panicked bool `json:"panicked,omitempty"`
}

func serve(input io.Reader, output io.Writer) error {
	requests := json.NewDecoder(bufio.NewReader(input))
	responses := json.NewEncoder(output)
	responses.SetEscapeHTML(false)
	for {
		var one request
		if err := requests.Decode(&one); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if err := responses.Encode(answer(one)); err != nil {
			return fmt.Errorf("write a response: %w", err)
		}
	}
}

func answer(one request) (result response) {
	defer func() {
		if cause := recover(); cause != nil {
			result = response{Error: fmt.Sprint(cause), Panicked: true}
		}
	}()
	objects, err := build(one)
	if err != nil {
		return response{Error: err.Error()}
	}
	return response{Objects: objects}
}

func build(one request) ([]json.RawMessage, error) {
	tree := filesys.MakeFsInMemory()
	for name, content := range one.Files {
		if err := tree.MkdirAll(path.Dir(name)); err != nil {
			return nil, err
		}
		if err := tree.WriteFile(name, []byte(content)); err != nil {
			return nil, err
		}
	}
	resources, err := krusty.MakeKustomizer(options(one)).Run(tree, one.Target)
	if err != nil {
		return nil, err
	}
	// What the command prints is made of the same JSON; this also fails where the command would.
	if _, err := resources.AsYaml(); err != nil {
		return nil, err
	}
	objects := make([]json.RawMessage, 0, resources.Size())
	for _, resource := range resources.Resources() {
		object, err := resource.MarshalJSON()
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

func options(one request) *krusty.Options {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	if one.Reorder != "" {
		options.Reorder = krusty.ReorderOption(one.Reorder)
	}
	if one.Unrestricted {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	return options
}
