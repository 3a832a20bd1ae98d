# Обозреватель блокчейна «Копилки».

site-name = Копилка · обозреватель
site-about = «Копилка» раздаёт жителям равные доли бюджета и показывает путь каждого рубля. Здесь видно всё, что записано в блокчейне; кто именно что выбрал, не знает никто.
menu-rounds = Раунды
menu-blocks = Блоки
menu-transactions = Транзакции
menu-portal = Сайт для жителей
menu-rpc = JSON-RPC для программ
breadcrumbs = Где вы находитесь
tabs = Разделы страницы
reload = Обновить страницу
download-csv = Скачать CSV
node-away = узел сети не отвечает
final = Окончательно
bytes = { $count ->
    [one] { $count } байт
    [few] { $count } байта
   *[many] { $count } байт
}
seconds = { $count } с
hours = { $count } ч
blocks-count = { $count ->
    [one] { $count } блок
    [few] { $count } блока
   *[many] { $count } блоков
}
people = { $count ->
    [one] { $count } человек
    [few] { $count } человека
   *[many] { $count } человек
}
confirmations = { $count ->
    [one] { $count } подтверждение
    [few] { $count } подтверждения
   *[many] { $count } подтверждений
}
supporters = { $count ->
    [0] Пока никто не поддержал
    [one] Поддержал { $count } человек
    [few] Поддержали { $count } человека
   *[many] Поддержали { $count } человек
}

# --- Поиск

search-title = Поиск
search-label = Номер блока, хеш, адрес или слово
search-placeholder = Номер блока, хеш, адрес или слово
search-submit = Найти
search-hint = Ищите по номеру или хешу блока, хешу транзакции, адресу, названию токена, словам из описания раунда или инициативы.
search-nothing = По запросу «{ $query }» ничего не нашлось.
search-found = { $count ->
    [one] Найден { $count } результат
    [few] Найдено { $count } результата
   *[many] Найдено { $count } результатов
}

# --- Главная

home-title = Каждый рубль на виду
home-lead = Раунды инициативного бюджетирования, копилки инициатив, все транзакции и пересчёт итогов.
home-behind = { $count ->
    [one] Обозреватель отстаёт от сети на { $count } блок: последние события ещё не показаны.
    [few] Обозреватель отстаёт от сети на { $count } блока: последние события ещё не показаны.
   *[many] Обозреватель отстаёт от сети на { $count } блоков: последние события ещё не показаны.
}
home-height = Последний блок
home-lag = Отставание от сети
home-block-time = Время между блоками
home-transactions-today = Транзакций за сутки
home-rounds = Раунды
home-all-rounds = Все раунды
home-transactions = Последние транзакции
home-all-transactions = Все транзакции
home-blocks = Последние блоки
home-all-blocks = Все блоки

# --- Списки

list-empty-transactions = Транзакций нет.
list-empty-transfers = Переводов нет.
list-empty-events = Событий нет.
list-empty-blocks = Блоков ещё нет.
list-empty-holders = Этот токен сейчас никто не держит.
column-tx = Транзакция
column-method = Действие
column-block = Блок
column-age = Когда
column-date = Дата
column-from = От
column-to = Кому
column-amount = Сумма
column-transactions = Транзакций
column-gas = Газ
column-hash = Хеш
column-holder = Держатель
column-share = Доля
column-class = Класс
column-weight = Вес доли
column-issued = Выдано
column-registered = Зарегистрировано
column-issuer-key = Ключ эмитента
column-account = Аккаунт
column-choices = Распределение
column-version = Версия
column-payment-reference = Платёжный документ
column-place = Место
column-initiative = Инициатива
column-cost = Стоимость
column-support = Поддержка
column-route = Как победила
column-effective = Собрано поддержкой
column-reason = Почему не победила

# --- Блоки

blocks-title = Блоки
block-title = Блок { $number }
block-neighbours = Соседние блоки
block-previous = Предыдущий
block-next = Следующий
block-time = Время
block-transactions = Транзакций
block-proposer = Кто составил
block-gas = Газ
block-base-fee = Базовая цена газа
block-size = Размер
block-hash = Хеш
block-parent = Хеш предыдущего блока
gas-of-limit = { $used } из { $limit } ({ $percent })
gas-used-of = израсходовано { $used } из { $limit }

# --- Транзакции

transactions-title = Транзакции
tx-title = Транзакция
tx-succeeded = Выполнена
tx-failed = Отклонена
tx-failed-note = Контракт отклонил эту транзакцию, она ничего не изменила.
tx-refusal = Причина:
tx-what = Что произошло
tx-facts = Сведения о транзакции
tx-time = Время
tx-created = Создан контракт
tx-value = Переведено
tx-fee = Плата за выполнение
tx-gas = Газ
tx-gas-limit = Предел газа
tx-gas-price = Цена газа
tx-nonce = Порядковый номер отправителя
tx-position = Место в блоке
tx-type = Тип
tx-transfers = Переводы токенов: { $count }
tx-transfers-show = Показать переводы
tx-transfers-cut = Показаны первые { $count }.
tx-events = События: { $count }
tx-input = Входные данные
tx-input-empty = Входных данных нет.
tx-input-show = { $count ->
    [one] Показать { $count } байт как есть
    [few] Показать { $count } байта как есть
   *[many] Показать { $count } байт как есть
}
tx-waiting = Транзакция ждёт включения в блок.
tx-not-indexed = Транзакция уже в блоке { $number }, но обозреватель его ещё не обработал.
call-items = { $count ->
    [one] Показать { $count } запись
    [few] Показать { $count } записи
   *[many] Показать { $count } записей
}
call-parameters = Параметры вызова

refusal-phase-wrong = Раунд на этапе «{ $current }», а нужен «{ $required }».
refusal-too-early = Раньше { $moment } это сделать нельзя.
refusal-no-role = У отправителя нет нужного доступа.
refusal-credentials = Среди удостоверений есть недействительное.
refusal-exceeds-issued = В классе { $class } зарегистрировано { $registered }, а удостоверений выдано { $issued }.
refusal-budget-exceeded = Победители стоят больше бюджета.
refusal-budget-missing = Бюджет ещё не выпущен.
refusal-initiative-unknown = Инициативы № { $id } в раунде нет.
refusal-payment-exceeds = В копилке № { $id } меньше денег, чем в платеже.
refusal-wallets = В копилках ещё есть деньги.

method-deployment = Создание контракта
method-transfer = Перевод
method-register = Регистрация жителей
method-allocate = Распределение долей
method-publish-issued = Отчёт о выданных удостоверениях
method-add-class = Новый класс
method-add-initiative = Новая инициатива
method-open-registration = Начало регистрации
method-open-pledging = Начало сбора
method-close-pledging = Конец сбора
method-propose-settlement = Предложение итога
method-withdraw-settlement = Отзыв итога
method-finalize-settlement = Утверждение итога
method-record-payment = Платёж подрядчику
method-return-remainder = Возврат остатка
method-close = Закрытие раунда
method-cancel = Отмена раунда
method-create-round = Новый раунд
method-propose-mint = Предложение выпуска
method-approve-mint = Выпуск токенов
method-cancel-mint = Отказ от выпуска
method-approve-settlement = Одобрение итога
method-pause = Приостановка
method-unpause = Возобновление работы
method-transfer-ownership = Передача реестра
method-accept-ownership = Приём реестра
method-admit-verifier = Допуск контракта к ключам
method-schedule = Сроки исполнения
method-postpone = Перенос срока
method-reach = Этап исполнения пройден
method-abandon = Отказ от исполнения
method-create-poll = Новый опрос
method-cancel-poll = Отмена опроса
method-cast-ballots = Бюллетени опроса
method-cast-sealed-ballots = Запечатанные бюллетени
method-open-ballots = Вскрытие бюллетеней
method-publish-sealing-secret = Ключ для вскрытия
method-claim = Начисление баллов
method-open-season = Новый сезон баллов
method-open-source = Новый источник баллов
method-close-source = Закрытие источника баллов
method-list-prize = Новый приз
method-raise-stock = Пополнение призов
method-lower-stock = Уменьшение запаса призов
method-withdraw-prize = Снятие приза
method-redeem = Обмен баллов
method-honour = Выдача приза
method-refuse = Отказ в призе
method-lapse = Истечение заявки
method-open-stream = Новый реестр отпечатков
method-anchor = Отпечаток реестра
method-admit = Новый муниципалитет
method-grant-role = Выдача доступа
method-revoke-role = Отзыв доступа

call-register = { $count ->
    [one] Регистрация { $count } жителя класса { $class }: { $round }.
   *[other] Регистрация { $count } жителей класса { $class }: { $round }.
}
call-allocate = { $count ->
    [one] { $count } житель распределил свою долю: { $round }.
    [few] { $count } жителя распределили свои доли: { $round }.
   *[many] { $count } жителей распределили свои доли: { $round }.
}
call-publish-issued = Эмитент сообщил, что в классе { $class } выдано удостоверений: { $count }. { $round }.
call-add-class = Добавлен класс жителей с весом доли { $weight }: { $round }.
call-add-initiative = Добавлена инициатива стоимостью { $cost }: { $round }.
call-open-registration = Открыта регистрация: { $round }.
call-open-pledging = Открыт сбор: { $round }. Бюджет разделён между жителями.
call-close-pledging = Сбор закончен: { $round }. Идёт подсчёт.
call-propose-settlement = { $count ->
    [0] Предложен итог без победителей: { $round }. Дайджест подсчёта { $digest }.
    [one] Предложен итог, победила { $winners }: { $round }. Дайджест подсчёта { $digest }.
   *[other] Предложен итог, победили { $winners }: { $round }. Дайджест подсчёта { $digest }.
}
call-approve-settlement = Контролёр одобрил предложенный итог: { $round }. Дайджест подсчёта { $digest }.
call-withdraw-settlement = Предложенный итог отозван: { $round }.
call-finalize-settlement = Итог утверждён: { $round }.
call-record-payment = Записан платёж { $amount } подрядчику, { $initiative }. Платёжный документ { $reference }.
call-return-remainder = Остаток возвращён в бюджет, { $initiative }.
call-close = Раунд закрыт: { $round }.
call-cancel = Раунд отменён: { $round }.
call-create-round = Создан раунд муниципалитета № { $municipality } с ассигнованием { $amount } и токеном { $token }.
call-propose-mint = Казначей предложил выпустить токены на { $amount } под бюджетное ассигнование.
call-approve-mint = Контролёр одобрил выпуск № { $id }: токены на { $amount } под бюджетное ассигнование.
call-cancel-mint = Предложение о выпуске № { $id } снято.
call-admit = В реестр внесён муниципалитет { $name }, ОКТМО { $oktmo }.
call-grant-role = Доступ «{ $role }» в муниципалитете № { $id } выдан: { $account }, с { $from } по { $until }.
call-revoke-role = Доступ «{ $role }» в муниципалитете № { $id } отозван: { $account }.

# --- События

event-unknown = Событие неизвестного вида.
event-details = Подробности события { $index }
event-contract = Контракт
event-name = Событие
event-topic = Тема { $index }
event-data = Данные
event-phase-changed = { $round } перешёл на этап «{ $phase }».
event-class-added = { $round }: добавлен класс { $class } с весом доли { $weight } и своим ключом эмитента.
event-initiative-added = Добавлена { $initiative } стоимостью { $cost }, её копилка { $wallet }.
event-credentials-issued = { $round }: эмитент сообщил, что в классе { $class } выдано удостоверений: { $count }.
event-registered = Аккаунт { $account } зарегистрирован в классе { $class }. { $round }.
event-registration-skipped = Регистрация аккаунта { $account } пропущена: { $reason }.
event-pledging-opened = { $round }: открыт сбор. Бюджет { $budget } разделён на общий вес { $weight }.
event-allocation-cumulative = Аккаунт { $account } распределил долю: { $choices }. Версия { $version }.
event-allocation-approval = Аккаунт { $account } поддержал: { $choices }. Версия { $version }.
event-allocation-empty = Аккаунт { $account } забрал всю долю обратно. Версия { $version }.
event-allocation-skipped = Распределение аккаунта { $account } версии { $version } пропущено: { $reason }.
event-settlement-proposed = { $count ->
    [0] { $round }: предложен итог без победителей. Окончательным он станет не раньше { $final }. Дайджест подсчёта { $digest }.
   *[other] { $round }: предложен итог, победители: { $winners }. Вместе они стоят { $cost }. Окончательным итог станет не раньше { $final }. Дайджест подсчёта { $digest }.
}
event-settlement-approved = { $round }: итог, который предложил { $proposer }, одобрен контролёром { $approver }. Дайджест подсчёта { $digest }.
event-settlement-withdrawn = { $round }: предложенный итог отозван аккаунтом { $account }, дайджест { $digest }.
event-settlement-finalized = { $count ->
    [0] { $round }: итог окончателен, победителей нет. В бюджет вернулось { $returned }.
   *[other] { $round }: итог окончателен, победители: { $winners }. Вместе они стоят { $cost }, в бюджет вернулось { $returned }.
}
event-initiative-won = Победила { $initiative }: в копилке было { $pledged }, теперь ровно её стоимость { $funded }.
event-initiative-lost = Не победила { $initiative }: из копилки возвращено { $pledged }.
event-payment-recorded = Подрядчику заплачено { $amount }, { $initiative }. Платёжный документ { $reference }.
event-round-created = Создан раунд № { $id }: { $round }, { $token }.
event-municipality-admitted = В реестр внесён муниципалитет № { $id }: { $name }, ОКТМО { $oktmo }.
event-role-granted = Доступ «{ $role }» в муниципалитете № { $id } выдан: { $account }, с { $from } по { $until }.
event-role-revoked = Доступ «{ $role }» в муниципалитете № { $id } отозван: { $account }.
event-ownership-transferred = Управление реестром перешло: от { $from } к { $to }.
event-appropriation-recorded = { $token }: записано бюджетное ассигнование { $amount } на { $year } год, КБК { $kbk }.
event-mint-proposed = Казначей { $proposer } предложил выпустить токены на { $amount }, предложение № { $id }.
event-mint-cancelled = Предложение о выпуске № { $id } снято аккаунтом { $account }.
event-budget-minted = Выпущены токены на { $amount }: предложил { $proposer }, одобрил { $approver }. Всего выпущено { $total }.
event-paused = Новые действия приостановлены; возврат денег и просмотр работают. Причина { $reason }.
event-unpaused = Работа возобновлена.
event-execution-scheduled = Назначены сроки исполнения, { $initiative }: отчёт не позднее { $until }.
event-milestone-postponed = Срок этапа «{ $stage }» перенесён с { $from } на { $until }, { $initiative }. Причина { $reason }.
event-milestone-reached = Этап «{ $stage }» пройден, { $initiative }. Записал { $account }, документ { $document }.
event-execution-abandoned = От исполнения отказались, деньги вернулись в бюджет, { $initiative }. Причина { $reason }.
stage-plan = план
stage-contract = договор
stage-acceptance = приёмка
stage-report = отчёт
event-payment-burned = Токены на { $amount } погашены платежом, { $initiative }.
event-returned-to-budget = { $amount } возвращено в бюджет. Откуда: { $from }.
event-foreign-transfer = Перевод { $amount } единиц: от { $from } к { $to }. Токен { $token }.

transfer-minted = Выпущено { $amount } в казну раунда.
transfer-burnt = Погашено { $amount }. Откуда: { $from }.
transfer-released = { $amount } перешло из казны в общий кошелёк раунда.
transfer-purse-to-wallet = { $amount } из общего кошелька: { $to }.
transfer-wallet-to-purse = { $amount } вернулось в общий кошелёк: { $from }.
transfer-share = { $amount } из доли жителя отложено для { $to }.
transfer-back = { $amount } вернулось в долю аккаунта { $from }.
transfer-pledged = Аккаунт { $from } внёс { $amount }: { $to }.
transfer-taken-back = Аккаунт { $to } забрал { $amount }: { $from }.
transfer-other = { $amount }: от { $from } к { $to }.

skip-none = причина не указана
skip-already-registered = этот аккаунт уже зарегистрирован
skip-funds-exhausted = бюджета не хватает ещё на одну долю
skip-not-registered = аккаунт не зарегистрирован в этом раунде
skip-signature-invalid = подпись не подходит
skip-version-not-higher = уже записана такая же или более новая версия
skip-choices-malformed = распределение составлено неверно

choice-with-points = { $initiative } — { $points ->
    [one] { $points } балл
    [few] { $points } балла
   *[many] { $points } баллов
}

# --- Адреса

label-zero = нулевой адрес
label-municipalities = Реестр муниципалитетов
label-rounds = Реестр раундов
label-issuer-keys = Реестр ключей эмитентов
label-polls = Опросы
label-reward-points = Баллы
label-reward-shop = Магазин призов
label-anchors = Отпечатки реестров
label-milestones = Исполнение инициатив
label-round-implementation = Код раундов
label-token-implementation = Код токенов
label-round = Раунд № { $id } «{ $title }»
label-round-untitled = Раунд № { $id }
label-token = Токен { $symbol }
label-wallet = Копилка № { $id } «{ $title }»
label-wallet-untitled = Копилка № { $id }
label-relayer = Ретранслятор
label-role-treasurer = Казначей, { $municipality }
label-role-clerk = Секретарь, { $municipality }
label-role-issuer = Эмитент, { $municipality }
label-role-partner = Партнёр, { $municipality }
label-role-controller = Контролёр, { $municipality }
label-role-registrar = Регистратор, { $municipality }
role-none = без роли
role-treasurer = Казначей
role-clerk = Секретарь
role-issuer = Эмитент удостоверений
role-partner = Партнёр
role-controller = Контролёр
role-registrar = Регистратор
role-revoked = отозван
address-account = Адрес
address-contract = Контракт
address-citizen = Анонимный аккаунт жителя
address-open = Открыть страницу со всеми сведениями
address-unused = Этим адресом ещё никто не пользовался.
address-citizen-note = Одноразовый аккаунт жителя. Чей он, не знает никто, включая тех, кто ведёт раунд: удостоверение выдано вслепую.
address-balance = Баланс
address-holdings = Токены
address-sent = Отправлено транзакций
address-first = Впервые замечен
address-last = Последняя активность
address-code = Размер кода
address-creation = Создан
address-participation = Участие
participation-registered = Зарегистрирован: { $round }, класс { $class }.
participation-allocated = Распределение, версия { $version }: { $choices }.
participation-skipped = Сообщение пропущено ({ $reason }): { $round }.
allocation-current = действует
allocation-replaced = заменено
allocation-nothing = всё забрано обратно
tab-transactions = Транзакции
tab-transfers = Переводы
tab-events = События
tab-holders = Держатели: { $count }

# --- Токены

token-title = Токен «{ $name }»
token-nameless = без названия
token-facts = Сведения о токене
token-appropriation = Бюджетное ассигнование
token-minted = Выпущено
token-unminted = ещё можно выпустить { $amount }
token-supply = В обращении
token-paid = Заплачено подрядчикам
token-returned = Возвращено в бюджет
token-promise = Один токен равен одному рублю. Выпустить больше ассигнования нельзя; каждый токен заканчивается платежом или возвратом в бюджет. Жители не могут передавать его друг другу.
token-symbol = Обозначение
token-decimals = Знаков после запятой
token-round = Раунд
token-holders = Держателей
token-year = Финансовый год
token-kbk = Код бюджетной классификации
token-document = Решение о бюджете
token-document-hash = Хеш документа
token-mints = Выпуск

# --- Раунды

rounds-title = Раунды
rounds-lead = Каждый раунд — часть бюджета, которую жители делят сами.
rounds-list = Список раундов
rounds-empty = Раундов пока нет.
round-number = Раунд № { $id }
round-card-people = { $count ->
    [one] { $count } участник
    [few] { $count } участника
   *[many] { $count } участников
}
round-card-allocated = распределили: { $count }
phase-draft = Подготовка
phase-registration = Регистрация
phase-pledging = Сбор
phase-tallying = Подсчёт
phase-objection = Возражения
phase-settled = Исполнение
phase-closed = Закрыт
phase-cancelled = Отменён
text-unpublished = Описание не опубликовано. Его хеш:
round-result-link = Итог раунда
round-small-crowd = { $count ->
    [one] Выдано всего { $count } удостоверение. В такой маленькой группе о выборе человека можно догадаться.
    [few] Выдано всего { $count } удостоверения. В такой маленькой группе о выборе человека можно догадаться.
   *[many] Выдано всего { $count } удостоверений. В такой маленькой группе о выборе человека можно догадаться.
}
round-budget = Бюджет
round-budget-preliminary = выпущено на сегодня
round-registered = Зарегистрировано
round-issued = удостоверений выдано: { $count }
round-allocated = Распределили долю
round-turnout = { $percent } участников
round-in-wallets = В копилках
round-share = Доля одного жителя
round-initiatives = { $count ->
    [one] { $count } инициатива
    [few] { $count } инициативы
   *[many] { $count } инициатив
}
round-initiatives-cost = Вместе они стоят { $cost }, бюджет { $budget }.
round-surplus-note = Что собрано сверх стоимости, возвращается поддержавшим для других инициатив.
initiatives-empty = Инициатив пока нет.
live-on = Обновляется само
live-off = Обновление приостановлено
live-lost = Связь потеряна, пробуем снова
live-pause = Приостановить
live-resume = Продолжить
round-phases = Этапы
step-registration-until = Не закончится раньше { $when }.
step-pledging-until = Не закончится раньше { $when }.
round-rules = Правила
rule-ballot = Как выбирают
ballot-kind-cumulative = { $points ->
    [one] Доля делится на { $points } балл, баллы отдают инициативам
    [few] Доля делится на { $points } балла, баллы отдают инициативам
   *[many] Доля делится на { $points } баллов, баллы отдают инициативам
}
ballot-kind-approval = Называют инициативы, доля делится между ними поровну
rule-allotment = Доля жителя
allotment-fixed = { $amount } на каждого, пока хватает бюджета
allotment-equal = Бюджет поровну между всеми зарегистрированными
rule-settlement = Как подводят итог
rule-equal-shares = Метод равных долей
rule-greedy = По числу голосов, пока хватает денег
completion-full = Доли повышаются шагами по 1 %, остаток тратится по числу голосов
completion-raise = Доли повышаются шагами по 1 %
completion-fill = Остаток тратится по числу голосов
completion-none = Без повышения долей и дозаполнения
rule-threshold = Порог поддержки
rule-no-threshold = нет
rule-objection = Срок для возражений
round-classes = Классы жителей
round-chain = В блокчейне
round-contract = Контракт
round-token = Токен
round-created = Создан
round-skipped = Пропущенных сообщений
round-text-hash = Хеш описания
round-data = Данные
round-allocations-link = Все распределения
round-allocations-csv = Все распределения в CSV
round-election-pb = Файл Pabulib для независимого подсчёта
round-election-json = Данные для подсчёта в JSON
round-portal-link = Раунд на сайте для жителей

# --- Инициативы

initiative-number = Инициатива № { $id }
initiative-untitled = Инициатива № { $id }
initiative-short = № { $id } «{ $title }»
initiative-short-untitled = инициатива № { $id }
initiative-name = инициатива № { $id } «{ $title }»
initiative-name-untitled = инициатива № { $id }
initiative-won = Победила
initiative-lost = Не победила
initiative-cost = Стоимость
initiative-supporters = Поддержка
initiative-points = Баллов
initiative-pledged = Внесено жителями
initiative-balance = В копилке сейчас
initiative-funded = Выделено по итогу
initiative-paid = Заплачено подрядчикам
initiative-wallet = Копилка
initiative-wallet-note = У этого адреса нет ни ключа, ни кода: деньги в нём двигает только контракт раунда.
initiative-added = Добавлена
initiative-payments = Платежи
initiative-transfers = Движение денег
initiative-portal-link = Поддержать на сайте для жителей

# --- Распределения

allocations-title = Распределения
allocations-lead = Как аккаунты жителей распределили свои доли, включая заменённые. Кому принадлежит аккаунт, неизвестно.
allocations-empty = Пока никто ничего не распределил.

# --- Итог

result-title = Итог раунда
result-early = Подсчёта ещё не было: пока идёт сбор, жители могут менять своё решение.
result-unproposed = Сбор закончен. Ниже то, что посчитал обозреватель; секретарь раунда ещё не предложил итог.
result-agrees = Подсчёт сходится.
result-agrees-note = Обозреватель сам посчитал итог по данным блокчейна и получил тех же победителей и тот же дайджест, что записаны в контракте.
result-differs = Подсчёт не сходится!
result-differs-note = Победители или дайджест в контракте отличаются от того, что получается по данным блокчейна. Ниже показан наш подсчёт.
result-window = Возразить против итога можно до { $until }.
result-window-over = Срок возражений закончился { $until }, итог можно утвердить.
result-winners-count = Победителей
result-of = { $count ->
    [one] из { $count } инициативы
   *[other] из { $count } инициатив
}
result-spent = Распределено
result-spent-share = { $percent } от { $budget }
result-voters = Проголосовало
result-nothing = Остались ни с чем
result-share = Доля в конце подсчёта
result-raised = повышена на { $percent } %
result-winners = Победители
result-no-winners = Не победила ни одна инициатива.
result-losers = Не победили
result-losers-note = «Собрано поддержкой» — какую часть стоимости могли бы оплатить поддержавшие из того, что у них осталось.
support-points = { $count ->
    [one] { $count } балл
    [few] { $count } балла
   *[many] { $count } баллов
}
support-votes = { $count ->
    [one] { $count } голос
    [few] { $count } голоса
   *[many] { $count } голосов
}
route-equal-shares = Оплачена поддержавшими, не больше { $rate } ₽ с каждого
route-equal-shares-points = Оплачена поддержавшими, не больше { $rate } ₽ за балл
route-fill = Поместилась в остаток бюджета
route-greedy = Поместилась в бюджет по числу голосов
loss-no-support = Её никто не поддержал.
loss-below-threshold = Набрала { $support }, а порог { $threshold }.
loss-exceeds = Стоит { $cost }, а оставалось { $remaining }.
loss-not-affordable = Поддержавшие могли оплатить только { $percent } стоимости.
recount-title = Пересчитайте сами
recount-lead = Ваш браузер возьмёт записи из блокчейна, сам найдёт победителей и сравнит с тем, что записано в контракте. Ничего никуда не отправляется.
recount-noscript = Для пересчёта в браузере нужен JavaScript. Без него можно скачать данные ниже и посчитать любой программой.
recount-start = Пересчитать в моём браузере
recount-reading = Читаем записи из блокчейна
recount-counting = Считаем
recount-same = Сошлось: победители и дайджест те же, что в контракте.
recount-different = Не сошлось: результат отличается от записанного в контракте.
recount-unproposed = Посчитано. В контракте итога пока нет, сравнить не с чем.
recount-failed = Пересчитать не удалось:
recount-winners = Победители по вашему подсчёту
recount-chain-winners = Победители в контракте
recount-digest = Дайджест по вашему подсчёту
recount-chain-digest = Дайджест в контракте
recount-ballots = Учтено бюллетеней
recount-seconds = Время, с
recount-stop = Остановить
recount-own-node = Спросить другой узел
recount-rpc-label = Адрес узла, JSON-RPC
recount-rpc-hint = Например, http://localhost:8545. Если поле пустое, записи отдаёт узел этого обозревателя.
recount-stopped = Пересчёт остановлен.
recount-difference-missing = Победила по вашему подсчёту, но не названа в контракте: { $initiative }.
recount-difference-extra = Названа победителем в контракте, но не победила по вашему подсчёту: { $initiative }.
recount-difference-digest = Дайджесты разные: итог считали по другим данным или по другим правилам.
recount-difference-total-cost = Сумма победителей: в контракте { $announced }, по вашему подсчёту { $counted }.
recount-difference-more = Показаны не все отличия, не поместилось: { $count }.
recount-failure-address-malformed = Адрес узла должен начинаться с http:// или https://.
recount-failure-unreachable = Узел не отвечает или отвечает не по правилам JSON-RPC ({ $detail }). Попробуйте ещё раз или назовите другой узел.
recount-failure-refused = Узел отказал в запросе { $method }: { $detail }.
recount-failure-other-chain = Узел следит за сетью { $found }, а раунд записан в сети { $expected }.
recount-failure-not-a-round = По этому адресу узел не видит раунда ({ $detail }). Возможно, узел следит за другой сетью.
recount-failure-no-logs = Узел не отдаёт записи даже одного блока { $block }: { $detail }.
recount-failure-registrations-missing = Узел отдал не все записи: регистраций в них { $registered }, а в контракте { $counted }.
recount-failure-not-pledged = Сбор ещё не начинался, считать нечего.
recount-failure-election-malformed = Записи противоречат правилам раунда: { $detail }.
recount-failure-internal = Ошибка в самой программе пересчёта: { $detail }.
recount-failure-event-malformed = Запись не читается ({ $detail }). Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-event-foreign = Узел отдал запись, о которой его не спрашивали. Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-event-removed = Узел отдал запись, которую сам же называет отменённой. Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-class-out-of-order = Класс { $class } добавлен не по порядку. Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-class-unknown = Регистрация в неизвестном классе { $class }. Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-initiative-twice = Инициатива { $initiative } добавлена дважды. Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-registered-twice = Счёт { $account } зарегистрирован дважды. Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-never-registered = Решение приняли от счёта { $account }, который не регистрировался. Блок { $block }, запись { $log }, транзакция { $tx }.
recount-failure-version-not-higher = У счёта { $account } после версии { $before } записана версия { $version }. Блок { $block }, запись { $log }, транзакция { $tx }.
result-check = Проверка
result-rule = Правило
result-digest = Дайджест нашего подсчёта
result-chain-digest = Дайджест в контракте
result-files = Данные
result-history = История итога
settlement-proposed = Итог предложен
settlement-withdrawn = Итог отозван
settlement-final = Итог окончателен

# --- JSON-RPC

rpc-title = JSON-RPC для программ
rpc-lead = По этому адресу программы могут читать блокчейн. Записывать через него нельзя.
rpc-batch = В одном запросе может быть до { $count } вызовов.
rpc-methods = Доступные методы

# --- Ошибки

error-database = База данных не отвечает. Попробуйте ещё раз через минуту.
error-index-empty = Обозреватель ещё не прочитал ни одного блока. Загляните чуть позже.
error-address-malformed = Это не адрес: адрес начинается с 0x и состоит из 40 шестнадцатеричных цифр.
error-block-malformed = Это не номер и не хеш блока.
error-block-missing = Такого блока нет.
error-block-not-indexed = Блок { $number } есть в сети, но обозреватель его ещё не обработал. Загляните через несколько секунд.
error-tx-malformed = Это не хеш транзакции: хеш начинается с 0x и состоит из 64 шестнадцатеричных цифр.
error-tx-missing = Такой транзакции нет ни в блоках, ни среди ожидающих.
error-token-missing = По этому адресу нет токена.
error-token-silent = По этому адресу есть контракт, но токенов он ещё не выпускал.
error-round-missing = Такого раунда нет.
error-initiative-missing = Такой инициативы в раунде нет.
error-election-early = Сбор ещё не начался, считать пока нечего.
