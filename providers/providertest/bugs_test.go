package providertest

var bugs = map[string]func(*mutant){}
