package images

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/shell"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

const suite = "bookworm"

// nodePackages are the packages of kind's and minikube's base images, in one root file system that both images share.
const nodePackages = "systemd,conntrack,iptables,nftables,iproute2,ethtool,util-linux,mount,kmod,libseccomp2,bash," +
	"ca-certificates,jq,procps,runc,curl,e2fsprogs,socat,pigz," +
	"dbus,openssh-server,sudo,lz4,rsync,dnsutils,iputils-ping,netcat-openbsd,adduser"

// nodeHook disables the units of systemd that cannot run in a container, and creates the user for minikube's logins.
const nodeHook = `--customize-hook=set -eu
rm -f "$1"/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
rm -f "$1"/lib/systemd/system/multi-user.target.wants/* "$1"/etc/systemd/system/*.wants/*
rm -f "$1"/lib/systemd/system/local-fs.target.wants/* "$1"/lib/systemd/system/basic.target.wants/*
rm -f "$1"/lib/systemd/system/sockets.target.wants/*udev* "$1"/lib/systemd/system/sockets.target.wants/*initctl*
echo ReadKMsg=no >> "$1"/etc/systemd/journald.conf
ln -s /usr/lib/systemd/systemd "$1"/sbin/init
chroot "$1" adduser --quiet --disabled-password --gecos docker docker
chroot "$1" adduser --quiet docker sudo
chroot "$1" passwd -d docker
echo 'docker ALL=(ALL) NOPASSWD:ALL' > "$1"/etc/sudoers.d/docker
mkdir -m 0700 "$1"/home/docker/.ssh && chroot "$1" chown docker:docker /home/docker/.ssh
rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*
rm -f "$1"/etc/ssh/ssh_host_*`

// smallPackages contain the programs that kube-proxy and the node's network need, and the shell with which kind
// starts its proxy.
const smallPackages = "iptables,nftables,conntrack,iproute2,bash,coreutils"

// smallHook runs after packages are unpacked, because their scripts do not run.
const smallHook = `--extract-hook=rm -rf "$1"/usr/share/* "$1"/usr/lib/*-linux-gnu/gconv "$1"/usr/lib/*-linux-gnu/perl*`

// debian returns the step that builds a root file system of Debian packages with a hook for mmdebstrap, as
// layers/NAME.tar.
func debian(dir, name, variant, packages, hook string) steps.Step {
	path := filepath.Join(dir, "layers", name+".tar")
	return steps.Step{
		Name: name, Lane: "debian", Needs: []string{"packages"},
		Inputs:  func() (string, error) { return steps.Digest(suite, variant, packages, hook), nil },
		Present: func(context.Context, string) bool { return exists(path) },
		Make: func(ctx context.Context, _ string, log io.Writer) (string, error) {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return "", err
			}
			// Written under a temporary name, so that an interrupted run leaves no incomplete file system.
			if err := (shell.Cmd{Log: log}).Run(ctx, "mmdebstrap", "--variant="+variant, "--include="+packages, hook, suite, path+".part.tar"); err != nil {
				return "", err
			}
			if err := os.Rename(path+".part.tar", path); err != nil {
				return "", err
			}
			return digest(path)
		},
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
