// The main step of action.yml. All that it does is in the script beside it, which can be tried without GitHub.
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

process.exitCode = spawnSync('bash', [join(__dirname, 'start')], { stdio: 'inherit' }).status ?? 1;
