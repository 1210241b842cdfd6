package cli

import (
	"cmp"
	"os"
	"regexp"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// translation is a text of lab in English and in another language. Both have the same verbs, %s, %q and %d, in the same
// order.
type translation struct{ english, other string }

func russianLabels() ui.Labels {
	return ui.Labels{Error: "ошибка:", Hint: "подсказка:", Warning: "предупреждение:"}
}

// russianSteps are the steps of the exercise commands.
func russianSteps() []translation {
	return []translation{
		{"Starting exercise %s", "Готовлю упражнение %s"},
		{"Deleting the namespaces of exercise %s", "Удаляю пространства имён упражнения %s"},
		{"Loading the images of the exercises", "Загружаю образы для упражнений"},
		{"Installing what exercise %s needs: %s", "Ставлю то, что нужно упражнению %s: %s"},
		{"Changing the cluster to see what happens: %s; everything is restored", "Меняю кластер и смотрю, что будет: %s; потом верну как было"},
	}
}

// russianErrors are the errors that students meet, and their hints. Errors of programs stay as they are.
func russianErrors() []translation {
	return []translation{
		{"there is no cluster %q", "кластера %q нет"},
		{"lab has no cluster %q", "кластера %q нет"},
		{"cluster %q is stopped", "кластер %q остановлен"},
		{"start it: lab start %s", "запустите его: lab start %s"},
		{"create one: %s; or let the exercise create it: lab exercise start %s --up", "создайте его: %s; или пусть упражнение создаст его само: lab exercise start %s --up"},
		{"no exercise was started", "ни одно упражнение ещё не начато"},
		{"start the first one: lab exercise start %s", "начните с первого: lab exercise start %s"},
		{"a namespace of exercise %s does not exist in cluster %q", "пространства имён упражнения %s нет в кластере %q"},
		{"start the exercise: lab exercise start %s --name %s", "начните упражнение: lab exercise start %s --name %s"},
		{"exercise %s is not passed yet", "упражнение %s ещё не пройдено"},
		{"get a hint: lab exercise hint; or see the solution anyway: lab exercise solution %s --yes", "возьмите подсказку: lab exercise hint; или всё-таки посмотрите решение: lab exercise solution %s --yes"},
		{"exercise %s needs containers that run, and cluster %q simulates them", "упражнению %s нужны настоящие контейнеры, а кластер %q только имитирует контейнеры"},
		{"use a cluster that runs them: lab flavors shows which flavors do; then: lab exercise start %s --name NAME", "нужен кластер с настоящими контейнерами, подходящий вид покажет lab flavors; потом: lab exercise start %s --name ИМЯ"},
		{"exercise %s needs %d nodes, and cluster %q has %d", "упражнению %s нужны узлы: %d, а в кластере %q их %d"},
		{"create another cluster: lab up %s --workers %d; then: lab exercise start %s --name %s", "создайте другой кластер: lab up %s --workers %d; потом: lab exercise start %s --name %s"},
		{"the cluster has a namespace %q that was not created for exercise %s", "в кластере уже есть пространство имён %q, и создано оно не для упражнения %s"},
		{"use another cluster: lab exercise start %s --name NAME; or delete the namespace and all its objects: kubectl delete namespace %s", "возьмите другой кластер: lab exercise start %s --name ИМЯ; или удалите пространство имён со всем, что в нём: kubectl delete namespace %s"},
		{"pack %s has no exercise %q", "в наборе %s нет упражнения %q"},
		{"list the exercises: lab exercise list", "список упражнений: lab exercise list"},
		{"exercise %s has no files", "у упражнения %s нет файлов"},
		{"see the task: lab exercise start %s", "задание: lab exercise start %s"},
		{"did you mean %s?", "может быть, %s?"},
		{"exercise %s needs %s: %s", "упражнению %s нужно %s: %s"},
		{"your cluster works, and other exercises do not need the addon: lab exercise list; to try again: lab exercise start %s", "кластер работает, и другим упражнениям этот аддон не нужен: lab exercise list; попробовать ещё раз: lab exercise start %s"},
		{"%s exists with another content", "%s уже есть, и содержимое там другое"},
		{"cannot write the files of exercise %s: %s", "не удалось записать файлы упражнения %s: %s"},
		{"write the files to another directory: lab exercise files %s --to DIR", "запишите файлы в другой каталог: lab exercise files %s --to КАТАЛОГ"},
		{"there is no pack %q", "набора %q нет"},
		{"list the packs: lab pack list; or name a directory: ./%s", "список наборов: lab pack list; или укажите каталог: ./%s"},
		{"cluster %q was deleted while exercise %s was watched: %s", "кластер %q удалили, пока шло наблюдение за упражнением %s: %s"},
		{"the API server does not answer: %s", "сервер API не отвечает: %s"},
		{"name an existing cluster: %s", "укажите один из существующих: %s"},
		{"there are no clusters; create one: lab up %s", "кластеров пока нет; создайте: lab up %s"},
		{"unknown command %q for %q", "неизвестная команда %q для %q"},
		{"list the commands: %s --help", "список команд: %s --help"},
		{"%s accepts one exercise, received %d: %q", "%s принимает одно упражнение, получено %d: %q"},
		{"%s accepts no arguments, received %q", "%s не принимает аргументов, получено %q"},
		{"show the usage: %s --help", "справка: %s --help"},
		{"check the cluster: lab status NAME; start it again: lab start NAME", "проверьте кластер: lab status ИМЯ; запустите его снова: lab start ИМЯ"},
	}
}

// translate returns a text in another language, or the text itself if no translation fits. Values in the text can be
// texts with a translation, too.
func translate(text string, all []translation) string {
	for _, t := range all {
		values := t.pattern().FindStringSubmatch(text)
		if values == nil {
			continue
		}
		i := 0
		return verb().ReplaceAllStringFunc(t.other, func(string) string {
			i++
			return translate(values[i], all)
		})
	}
	return text
}

func verb() *regexp.Regexp { return regexp.MustCompile(`%[sqd]`) }

// pattern matches the texts of the English format. Each verb is a group.
func (t translation) pattern() *regexp.Regexp {
	groups := map[string]string{"%s": `(.*?)`, "%q": `("[^"]*"|\[.*\])`, "%d": `(\d+)`} // a list has brackets
	var all strings.Builder
	all.WriteString("^")
	rest := t.english
	for _, at := range verb().FindAllString(t.english, -1) {
		before, after, _ := strings.Cut(rest, at)
		all.WriteString(regexp.QuoteMeta(before) + groups[at])
		rest = after
	}
	return regexp.MustCompile(all.String() + regexp.QuoteMeta(rest) + "$")
}

// foreign is an error in another language. It keeps its kind.
type foreign struct {
	error
	text string
}

func (f foreign) Error() string { return f.text }
func (f foreign) Unwrap() error { return f.error }

// inRussian returns an error with its message and its hint in Russian, as far as they are translated.
func inRussian(err error) error {
	if _, silent := exitCode(err); silent {
		return err
	}
	hint := fault.HintOf(err)
	all := russianErrors()
	err = foreign{err, translate(err.Error(), all)}
	if hint == "" {
		return err
	}
	lines := strings.Split(hint, "\n")
	for i, line := range lines {
		lines[i] = translate(line, all)
	}
	return fault.WithHint(err, "%s", strings.Join(lines, "\n"))
}

// speaksRussian reports whether errors and warnings are in Russian. Scripts read English.
func (o *exerciseOptions) speaksRussian(c *command) bool {
	lang := cmp.Or(o.lang, o.saved, localeOf(os.Getenv))
	return lang == "ru" && c.format == ui.FormatTable
}

// reporter returns a reporter that shows the steps of an exercise in the language of the lesson.
func (l lesson) reporter(report event.Reporter) event.Reporter {
	if l.lang != "ru" {
		return report
	}
	return func(e event.Event) {
		e.Step = translate(e.Step, russianSteps())
		report(e)
	}
}
