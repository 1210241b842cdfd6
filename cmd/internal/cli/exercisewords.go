package cli

import (
	"fmt"
	"strings"
)

// phrases are what lab says around the texts of an exercise, in one language.
type phrases struct {
	states    map[string]string // by state
	columns   []string          // of the list of exercises
	skipped   string
	pending   string
	half      string
	onlyHalf  string
	holding   string
	finished  string
	noHint    string // the command at its end is not closed: --pack may follow
	actFirst  string // the same
	already   string
	lastHint  string
	passed    func(title string) string
	found     func(what string) string
	elsewhere func(kind, name, where, want string) string
	context   func(current, want, cluster string) string
	namespace func(current, want string) string
	progress  func(passed, all int) string
	here      func(current bool, cluster string) string
	commands  func(check, hint string) string
	next      func(command string) string
	titled    func(title string) string
	space     func(names []string) string
	hint      func(step, steps int) string
	noKubectl func(instead string) string
	needs     func(n ExerciseNeeds) string
	retrying  func(problem string) string
}

// phrasesOf returns the phrases of a language, or the English ones.
func phrasesOf(lang string) phrases {
	if lang == "ru" {
		return russian()
	}
	return english()
}

func english() phrases {
	return phrases{
		states:   map[string]string{"new": "new", "started": "started", "half": "half", "passed": "passed"},
		columns:  []string{"exercise", "state", "title", "needs"},
		skipped:  "Cannot be checked here: this cluster simulates containers.",
		pending:  "Comes last: lab changes something, watches what happens, and restores it.",
		half:     "Half done: this cluster only simulates containers, so lab could not check everything. Repeat the exercise on a cluster that runs them: lab flavors",
		onlyHalf: "This cluster only simulates containers, so you will not see them fail, restart or write logs. The exercise can be half done here.",
		holding:  "Everything is right. If it stays so for three seconds, this part is done.",
		finished: "You have done all exercises.",
		noHint:   "Everything is right. Finish the exercise: `lab exercise check",
		actFirst: "Everything is right so far. For the rest, lab must change something and watch what happens; hints follow if that fails: `lab exercise check",
		already:  "Already passed.",
		lastHint: "This was the last step. The whole solution: lab exercise solution --yes",
		passed:   func(title string) string { return "Passed: " + title },
		found:    func(what string) string { return "found: " + what },
		elsewhere: func(kind, name, where, want string) string {
			return fmt.Sprintf("A %s `%s` exists in namespace `%s`. The exercise looks in `%s`.", kind, name, where, want)
		},
		context: func(current, want, cluster string) string {
			return fmt.Sprintf("kubectl uses context `%s`, and the exercise is on `%s`. Switch: `lab use %s`", current, want, cluster)
		},
		namespace: func(current, want string) string {
			return fmt.Sprintf("kubectl uses namespace `%s` by default, and the exercise is in `%s`. Switch: `lab ns %s`", current, want, want)
		},
		progress: func(passed, all int) string { return fmt.Sprintf("%d of %d done.", passed, all) },
		here: func(current bool, cluster string) string {
			if !current {
				return ""
			}
			return "you are here, on cluster " + cluster
		},
		commands: func(check, hint string) string { return fmt.Sprintf("Check: %s    Stuck? %s", check, hint) },
		next:     func(command string) string { return "Next: " + command },
		titled:   func(title string) string { return "Next: **" + title + "**" },
		space: func(names []string) string {
			if len(names) == 1 {
				return fmt.Sprintf("Namespace: `%s`. Let kubectl use it by default: `lab ns %[1]s`", names[0])
			}
			return "Namespaces: `" + strings.Join(names, "`, `") + "`"
		},
		hint: func(step, steps int) string { return fmt.Sprintf("Hint, step %d of %d", step, steps) },
		noKubectl: func(instead string) string {
			return fmt.Sprintf("You have no kubectl. Install it: `lab tools install kubectl`. Or write `%s` instead of `kubectl`.", instead)
		},
		needs:    func(n ExerciseNeeds) string { return n.text("%d nodes", "containers") },
		retrying: func(problem string) string { return problem + "; watching again as soon as this is over" },
	}
}

func russian() phrases {
	return phrases{
		states:   map[string]string{"new": "новое", "started": "начато", "half": "наполовину", "passed": "пройдено"},
		columns:  []string{"упражнение", "состояние", "название", "что нужно"},
		skipped:  "Здесь не проверить: этот кластер только имитирует контейнеры.",
		pending:  "Это в конце: lab сама кое-что поменяет, посмотрит, что будет, и вернёт как было.",
		half:     "Готово наполовину: этот кластер только имитирует контейнеры, поэтому проверить удалось не всё. Повторите там, где контейнеры настоящие: lab flavors",
		onlyHalf: "Этот кластер только имитирует контейнеры: ни сбоев, ни перезапусков, ни логов вы здесь не увидите, а упражнение можно пройти только наполовину.",
		holding:  "Всё правильно. Если так будет и через три секунды, эта часть готова.",
		finished: "Все упражнения пройдены. Вы молодец!",
		noHint:   "Всё правильно. Осталось сдать упражнение: `lab exercise check",
		actFirst: "Пока всё правильно. Дальше lab должна сама кое-что поменять и посмотреть, что будет; не получится — тогда и подскажу: `lab exercise check",
		already:  "Уже пройдено.",
		lastHint: "Подсказок больше нет. Решение целиком: lab exercise solution --yes",
		passed:   func(title string) string { return "Пройдено: " + title },
		found:    func(what string) string { return "сейчас: " + what },
		elsewhere: func(kind, name, where, want string) string {
			return fmt.Sprintf("%s `%s` нашёлся в пространстве имён `%s`, а упражнение ждёт его в `%s`.", kind, name, where, want)
		},
		context: func(current, want, cluster string) string {
			return fmt.Sprintf("kubectl сейчас смотрит в контекст `%s`, а упражнение идёт в `%s`. Переключиться: `lab use %s`", current, want, cluster)
		},
		namespace: func(current, want string) string {
			return fmt.Sprintf("По умолчанию kubectl работает в пространстве имён `%s`, а упражнение — в `%s`. Переключиться: `lab ns %s`", current, want, want)
		},
		progress: func(passed, all int) string { return fmt.Sprintf("Готово: %d из %d.", passed, all) },
		here: func(current bool, cluster string) string {
			if !current {
				return ""
			}
			return "вы здесь, кластер " + cluster
		},
		commands: func(check, hint string) string {
			return fmt.Sprintf("Проверить: %s    Застряли? %s", check, hint)
		},
		next:   func(command string) string { return "Дальше: " + command },
		titled: func(title string) string { return "Дальше: **" + title + "**" },
		space: func(names []string) string {
			if len(names) == 1 {
				return fmt.Sprintf("Пространство имён: `%s`. Чтобы kubectl сразу работал в нём: `lab ns %[1]s`", names[0])
			}
			return "Пространства имён: `" + strings.Join(names, "`, `") + "`"
		},
		hint: func(step, steps int) string { return fmt.Sprintf("Подсказка, шаг %d из %d", step, steps) },
		noKubectl: func(instead string) string {
			return fmt.Sprintf("kubectl у вас не установлен. Поставьте его: `lab tools install kubectl`. Или пишите `%s` вместо `kubectl`.", instead)
		},
		needs: func(n ExerciseNeeds) string { return n.text("узлы: %d", "настоящие контейнеры") },
		retrying: func(problem string) string {
			return problem + "; как только это пройдёт, проверка продолжится"
		},
	}
}

// text lists what an exercise needs beyond any cluster, in the words of a language.
func (n ExerciseNeeds) text(nodes, containers string) string {
	var all []string
	if n.Nodes > 1 {
		all = append(all, fmt.Sprintf(nodes, n.Nodes))
	}
	if n.Pods {
		all = append(all, containers)
	}
	return strings.Join(append(all, n.Addons...), ", ")
}
