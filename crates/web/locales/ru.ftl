# Общее для всех сайтов: оформление страницы, настройки вида, ошибки.

skip-to-content = Перейти к содержанию
language-switch = Язык
menu = Разделы
footer-links = Ссылки внизу страницы
time-zone-note = Время указано в поясе UTC{ $offset }.
copy = Скопировать
copied = Скопировано
pager-label = Страницы списка
pager-first = В начало
pager-next = Дальше

theme-auto = Как на устройстве
theme-dark = Тёмная тема
theme-light = Светлая тема

vision-on = Версия для слабовидящих
vision-off = Обычная версия
vision-open = Настройки вида
vision-close = Скрыть настройки
vision-panel = Настройки версии для слабовидящих
vision-size = Размер букв
vision-size-large = Крупный
vision-size-larger = Крупнее
vision-size-largest = Самый крупный
vision-colors = Цвета
vision-colors-black-on-white = Чёрным по белому
vision-colors-white-on-black = Белым по чёрному
vision-colors-blue = Тёмно-синим по голубому
vision-colors-yellow-on-black = Жёлтым по чёрному
vision-typeface = Шрифт
vision-typeface-sans = Без засечек
vision-typeface-serif = С засечками
vision-spacing = Интервалы
vision-spacing-usual = Обычные
vision-spacing-wide = Увеличенные
vision-spacing-widest = Большие
vision-images = Изображения
vision-images-on = Показывать
vision-images-off = Скрыть

time-seconds-ago = { $count ->
    [one] { $count } секунду назад
    [few] { $count } секунды назад
   *[many] { $count } секунд назад
}
time-minutes-ago = { $count ->
    [one] { $count } минуту назад
    [few] { $count } минуты назад
   *[many] { $count } минут назад
}
time-hours-ago = { $count ->
    [one] { $count } час назад
    [few] { $count } часа назад
   *[many] { $count } часов назад
}
time-days-ago = { $count ->
    [one] { $count } день назад
    [few] { $count } дня назад
   *[many] { $count } дней назад
}

fill-label = Собрано { $pledged } из { $cost }, { $percent }
fill-of = из { $cost }
fill-surplus = Сверх стоимости: { $amount }

error-title-bad-request = Запрос не понят
error-title-unauthorized = Нужно войти
error-title-forbidden = Доступа нет
error-title-not-found = Страница не найдена
error-title-conflict = Это противоречит уже записанному
error-title-too-many = Слишком много запросов
error-title-unavailable = Сервис временно недоступен
error-title-internal = Ошибка на нашей стороне
error-page-missing = По этому адресу ничего нет. Проверьте, не потерялась ли часть ссылки.
error-malformed = В запросе чего-то не хватает или что-то записано неверно.
error-method = Этот адрес не принимает такой вид запроса.
error-too-large = Отправлено слишком много данных.
error-timeout = Запрос выполнялся слишком долго. Попробуйте ещё раз.
error-internal = Запрос не выполнен. Попробуйте ещё раз через минуту.
error-csrf = Форма устарела или открыта в другом сеансе. Вернитесь, обновите страницу и отправьте форму снова.
error-reference = Если ошибка повторится, сообщите её номер:
error-home = На главную
