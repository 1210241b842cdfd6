// The main step of action.yml. All that it does is in the script beside it, which can be tried without GitHub.
require('./step.cjs')('start');
