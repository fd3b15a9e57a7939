// Command registry is an image registry for tests: distribution, with storage in memory or in a directory.
package main

import (
	"io"
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

// abandoned is the exit code of a registry whose harness has gone.
const abandoned = 86

func main() {
	// As in the control plane: the harness holds the other end of our standard input.
	if os.Getenv("CONTROLPLANE_EXIT_WITH_STDIN") == "1" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(abandoned)
		}()
	}
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}
