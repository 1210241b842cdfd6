package learning

import "testing/fstest"

// onePack returns a pack with one exercise, to create a ConfigMap.
func onePack() fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"pack.yaml": "apiVersion: lab/v1alpha1\nkind: Pack\nname: mine\nlanguages: [en]\nexercises: [one]\n",
		"one/exercise.yaml": `apiVersion: lab/v1alpha1
kind: Exercise
namespaces: [one]
observe: [{name: answer, get: {kind: ConfigMap, name: answer}}]
checks:
  - id: answer
    pass: answer.data.a == "1"
    found: answer.data.a
    hints: [{id: two, if: answer.data.a == "2"}, {id: any}]
wrong:
  - {name: two, run: [kubectl create configmap answer --from-literal=a=2], check: answer, hint: two}
  - {name: three, run: [kubectl create configmap answer --from-literal=a=3], check: answer, hint: any}
`,
		"one/en.md": "# First\n\nTask.\n\n## answer\n\nAn answer\n\n### two\n\nNo.\n\n### any\n\nNo.\n\n## solution\n\n" +
			"```console\n$ kubectl create configmap answer --from-literal=a=1\n```\n\n## done\n\nGood.\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}
