// Command millrace is a Kafka Connect worker.
package main

import (
	"os"

	"github.com/millrace-io/millrace/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr)) }
