// Starts an emulator, talks to it and stops it.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Emulator is a running emulator.
type Emulator struct {
	Endpoint string
	command  *exec.Cmd
}

// Start runs the program and waits until it listens.
func Start(program string) (*Emulator, error) {
	command := exec.Command(program, "--port", "0", "--access-key", "test:test-secret")
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	line, _ := bufio.NewReader(output).ReadString('\n')
	endpoint := strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
	if !strings.HasPrefix(endpoint, "http") {
		_ = command.Process.Kill()
		_ = command.Wait()
		return nil, errors.New("the emulator does not start")
	}
	return &Emulator{Endpoint: endpoint, command: command}, nil
}

// Stop lets running requests end.
func (e *Emulator) Stop() error {
	if err := e.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return e.command.Wait()
}

func main() {
	program := "oss-emulator"
	if len(os.Args) > 1 {
		program = os.Args[1]
	}
	emulator, err := Start(program)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := http.Get(emulator.Endpoint + "/healthz")
	if err != nil {
		log.Fatal(err)
	}
	_ = answer.Body.Close()
	fmt.Println(emulator.Endpoint, answer.StatusCode)
	if err := emulator.Stop(); err != nil {
		log.Fatal(err)
	}
}
