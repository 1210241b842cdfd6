package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestContained(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.serve()
	t.Run("listens on the loopback only", func(t *testing.T) { checkListeners(t, c.as(t)) })
	t.Run("kubelet answers", func(t *testing.T) { checkKubelet(t, c.as(t)) })
	t.Run("webhook at an URL is asked", func(t *testing.T) { checkWebhookURL(t, c.as(t)) })
	t.Run("version", func(t *testing.T) {
		out, err := c.kubectl("version")
		if err != nil || strings.Count(out, "v1.37.2") != 2 {
			t.Errorf("%v: %s", err, out)
		}
	})
	c.stop()
}

// checkListeners reads which sockets of the engine wait for calls.
func checkListeners(t *testing.T, c *cluster) {
	mine := socketsOf(t, c.cmd.Process.Pid)
	found := 0
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		f, err := os.Open("/proc/net/" + table)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			field := strings.Fields(lines.Text())
			const listening, local, inode = "0A", 1, 9
			if field[0] == "sl" || !mine[field[inode]] || strings.HasPrefix(table, "tcp") && field[3] != listening {
				continue
			}
			found++
			if !strings.HasPrefix(field[local], "0100007F:") { // 127.0.0.1
				t.Errorf("%s socket at %s", table, field[local])
			}
		}
	}
	if found != 2 { // the API server and the kubelets
		t.Errorf("%d sockets listen", found)
	}
}

func socketsOf(t *testing.T, pid int) map[string]bool {
	t.Helper()
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	sockets := map[string]bool{}
	for _, entry := range entries {
		target, _ := os.Readlink(fds + "/" + entry.Name())
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return sockets
}

// KWOK's server answers for the kubelet: it has no logs, and says so itself.
func checkKubelet(t *testing.T, c *cluster) {
	c.deploy("web", 1)
	c.available(20*time.Second, "web", 1)
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"logs", "deploy/web"}, "no logs found"},
		{[]string{"exec", "deploy/web", "--", "true"}, "no exec found"},
	}
	for _, test := range tests {
		if out, _ := c.kubectl(test.args...); !strings.Contains(out, test.want) {
			t.Errorf("%v said %s", test.args, out)
		}
	}
}
