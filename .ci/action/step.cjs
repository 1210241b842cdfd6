// Runs a script of this directory as a step. GitHub interrupts this process alone when a job is cancelled: it passes the
// first signal on to the script and all that the script started, and waits until they have cleaned up.
const { spawn } = require('node:child_process');
const { join } = require('node:path');

module.exports = (script) => {
  const grouped = process.platform !== 'win32';
  const child = spawn('bash', [join(__dirname, script)], { stdio: 'inherit', detached: grouped });
  let told = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (told) return; // a second signal would end lab in the middle of its clean-up
      told = true;
      try {
        process.kill(grouped ? -child.pid : child.pid, signal);
      } catch {
        // It has just ended.
      }
    });
  }
  child.on('error', (err) => {
    console.error(`cannot run bash: ${err.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
};
