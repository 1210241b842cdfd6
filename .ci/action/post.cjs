// The last step of action.yml, which runs whether the others succeeded or not. All that it does is in the script beside it.
require('./step.cjs')('end');
