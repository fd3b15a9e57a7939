package main

import (
	"io"
	"os"
)

// exitWithStdin names the variable that ties a program's life to its standard input.
const exitWithStdin = "CONTROLPLANE_EXIT_WITH_STDIN"

// abandoned is the exit code of a program whose harness has gone.
const abandoned = 86

func exitWhenInputCloses() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(abandoned)
}
