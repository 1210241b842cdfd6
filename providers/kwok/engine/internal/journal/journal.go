// Package journal writes the logs of all components to one rotated file.
package journal

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"gopkg.in/natefinch/lumberjack.v2"
	logsapi "k8s.io/component-base/logs/api/v1"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
)

// Journal is the engine's log file.
type Journal struct{ file *lumberjack.Logger }

// Open opens the log file, and creates it if it does not exist. It is rotated at 10 MB; three older files are kept.
func Open(path string) *Journal {
	return &Journal{&lumberjack.Logger{Filename: path, MaxSize: 10, MaxBackups: 3}}
}

// Close closes the file. Later log lines open it again.
func (j *Journal) Close() error { return j.file.Close() }

// Kubernetes redirects klog, the logger of Kubernetes, to the journal.
// Only the first call in a process has an effect; later ones return an error.
func (j *Journal) Kubernetes() error {
	options := &logsapi.LoggingOptions{ErrorStream: j.file, InfoStream: j.file}
	return logsapi.ValidateAndApplyWithOptions(logsapi.NewLoggingConfiguration(), options, nil)
}

// Etcd returns a logger for etcd. It drops lines at level info: each start writes two hundred.
func (j *Journal) Etcd() *zap.Logger {
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339TimeEncoder // readable for users, who look here when etcd died
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(config), zapcore.AddSync(j.file), zapcore.WarnLevel)).Named("etcd")
}

// Kwok returns a logger for KWOK. It drops lines at level info, because KWOK logs each lease.
func (j *Journal) Kwok() *kwoklog.Logger {
	return kwoklog.NewLogger(io.Writer(j.file), kwoklog.LevelWarn)
}
