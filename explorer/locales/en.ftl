# Kopilka's explorer.

site-name = Kopilka · explorer
site-about = Kopilka gives citizens equal shares of the budget and shows the way of every ruble. Everything that is recorded on chain is visible here; who chose what is known to nobody.
menu-rounds = Rounds
menu-blocks = Blocks
menu-transactions = Transactions
menu-portal = Citizens’ site
menu-rpc = JSON-RPC for programs
breadcrumbs = Where you are
tabs = Parts of the page
reload = Reload the page
download-csv = Download CSV
node-away = the node does not answer
final = Final
bytes = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
}
seconds = { $count } s
hours = { $count } h
blocks-count = { $count ->
    [one] { $count } block
   *[other] { $count } blocks
}
people = { $count ->
    [one] { $count } person
   *[other] { $count } people
}
confirmations = { $count ->
    [one] { $count } confirmation
   *[other] { $count } confirmations
}
supporters = { $count ->
    [0] No supporters yet
    [one] { $count } supporter
   *[other] { $count } supporters
}

# --- Search

search-title = Search
search-label = Block number, hash, address or word
search-placeholder = Block number, hash, address or word
search-submit = Search
search-hint = Search by the number or hash of a block, the hash of a transaction, an address, the name of a token, or words of the description of a round or an initiative.
search-nothing = Nothing was found for “{ $query }”.
search-found = { $count ->
    [one] { $count } result
   *[other] { $count } results
}

# --- Start page

home-title = Every ruble in sight
home-lead = Rounds of initiative budgeting, piggy banks of initiatives, all transactions, and a recount of the results.
home-behind = { $count ->
    [one] The explorer is { $count } block behind the chain: the latest events are not shown yet.
   *[other] The explorer is { $count } blocks behind the chain: the latest events are not shown yet.
}
home-height = Latest block
home-lag = Behind the chain
home-block-time = Time between blocks
home-transactions-today = Transactions in 24 hours
home-rounds = Rounds
home-all-rounds = All rounds
home-transactions = Latest transactions
home-all-transactions = All transactions
home-blocks = Latest blocks
home-all-blocks = All blocks

# --- Lists

list-empty-transactions = No transactions.
list-empty-transfers = No transfers.
list-empty-events = No events.
list-empty-blocks = No blocks yet.
list-empty-holders = Nobody holds this token now.
column-tx = Transaction
column-method = Action
column-block = Block
column-age = When
column-date = Date
column-from = From
column-to = To
column-amount = Amount
column-transactions = Transactions
column-gas = Gas
column-hash = Hash
column-holder = Holder
column-share = Share
column-class = Class
column-weight = Weight of a share
column-issued = Issued
column-registered = Registered
column-issuer-key = Issuer’s key
column-account = Account
column-choices = Distribution
column-version = Version
column-payment-reference = Payment document
column-place = Place
column-initiative = Initiative
column-cost = Cost
column-support = Support
column-route = How it won
column-effective = Covered by support
column-reason = Why it did not win

# --- Blocks

blocks-title = Blocks
block-title = Block { $number }
block-neighbours = Neighbouring blocks
block-previous = Previous
block-next = Next
block-time = Time
block-transactions = Transactions
block-proposer = Proposer
block-gas = Gas
block-base-fee = Base fee
block-size = Size
block-hash = Hash
block-parent = Hash of the block before
gas-of-limit = { $used } of { $limit } ({ $percent })
gas-used-of = { $used } of { $limit } used

# --- Transactions

transactions-title = Transactions
tx-title = Transaction
tx-succeeded = Done
tx-failed = Refused
tx-failed-note = The contract refused this transaction; it changed nothing.
tx-refusal = Reason:
tx-what = What happened
tx-facts = Facts about the transaction
tx-time = Time
tx-created = Contract created
tx-value = Value
tx-fee = Fee
tx-gas = Gas
tx-gas-limit = Gas limit
tx-gas-price = Gas price
tx-nonce = Nonce
tx-position = Position in the block
tx-type = Type
tx-transfers = Token transfers: { $count }
tx-transfers-show = Show the transfers
tx-transfers-cut = The first { $count } are shown.
tx-events = Events: { $count }
tx-input = Input
tx-input-empty = There is no input.
tx-input-show = { $count ->
    [one] Show { $count } raw byte
   *[other] Show { $count } raw bytes
}
tx-waiting = The transaction waits to be included in a block.
tx-not-indexed = The transaction is in block { $number }, which the explorer has not processed yet.
call-items = { $count ->
    [one] Show { $count } entry
   *[other] Show { $count } entries
}
call-parameters = Parameters of the call

refusal-phase-wrong = The round is in the phase “{ $current }”, “{ $required }” is needed.
refusal-too-early = This is not possible before { $moment }.
refusal-no-role = The sender lacks the access for this.
refusal-credentials = One of the credentials is invalid.
refusal-exceeds-issued = In class { $class } { $registered } are registered, but { $issued } credentials were issued.
refusal-budget-exceeded = The winners cost more than the budget.
refusal-budget-missing = The budget has not been minted yet.
refusal-initiative-unknown = There is no initiative No. { $id } in the round.
refusal-payment-exceeds = Piggy bank No. { $id } holds less than the payment.
refusal-wallets = There is still money in piggy banks.

method-deployment = Contract creation
method-transfer = Transfer
method-register = Registration of citizens
method-allocate = Distribution of shares
method-publish-issued = Report on issued credentials
method-add-class = New class
method-add-initiative = New initiative
method-open-registration = Registration opens
method-open-pledging = Pledging opens
method-close-pledging = Pledging ends
method-propose-settlement = Result proposed
method-withdraw-settlement = Result withdrawn
method-finalize-settlement = Result finalized
method-record-payment = Payment to a contractor
method-return-remainder = Return of the remainder
method-close = Round closed
method-cancel = Round called off
method-create-round = New round
method-propose-mint = Minting proposed
method-approve-mint = Tokens minted
method-cancel-mint = Minting refused
method-approve-settlement = Result approved
method-pause = Pause
method-unpause = End of a pause
method-transfer-ownership = Register offered to a new operator
method-accept-ownership = Register taken over
method-admit-verifier = Contract admitted to claim keys
method-schedule = Deadlines of a winner
method-postpone = Deadline postponed
method-reach = Stage reached
method-abandon = Winner given up
method-create-poll = New poll
method-cancel-poll = Poll called off
method-cast-ballots = Ballots of a poll
method-cast-sealed-ballots = Sealed ballots
method-open-ballots = Ballots opened
method-publish-sealing-secret = Key that opens ballots
method-claim = Points claimed
method-open-season = New season of points
method-open-source = New source of points
method-close-source = Source of points closed
method-list-prize = New prize
method-raise-stock = More prizes
method-lower-stock = Fewer prizes
method-withdraw-prize = Prize withdrawn
method-redeem = Points redeemed
method-honour = Prize handed over
method-refuse = Prize refused
method-lapse = Redemption lapsed
method-open-stream = New stream of anchors
method-anchor = Register anchored
method-admit = New municipality
method-grant-role = Access granted
method-revoke-role = Access revoked

call-register = { $count ->
    [one] Registration of { $count } citizen of class { $class }: { $round }.
   *[other] Registration of { $count } citizens of class { $class }: { $round }.
}
call-allocate = { $count ->
    [one] { $count } citizen distributed a share: { $round }.
   *[other] { $count } citizens distributed their shares: { $round }.
}
call-publish-issued = The issuer says that { $count } credentials were issued in class { $class }. { $round }.
call-add-class = A class of citizens with share weight { $weight } was added: { $round }.
call-add-initiative = An initiative that costs { $cost } was added: { $round }.
call-open-registration = Registration opened: { $round }.
call-open-pledging = Pledging opened: { $round }. The budget was divided among the citizens.
call-close-pledging = Pledging ended: { $round }. Counting begins.
call-propose-settlement = { $count ->
    [0] A result without winners was proposed: { $round }. Digest of the count { $digest }.
    [one] A result was proposed, the winner is { $winners }: { $round }. Digest of the count { $digest }.
   *[other] A result was proposed, the winners are { $winners }: { $round }. Digest of the count { $digest }.
}
call-approve-settlement = The controller approved the proposed result: { $round }. Digest of the count { $digest }.
call-withdraw-settlement = The proposed result was withdrawn: { $round }.
call-finalize-settlement = The result became final: { $round }.
call-record-payment = A payment of { $amount } to a contractor was recorded, { $initiative }. Payment document { $reference }.
call-return-remainder = The remainder went back to the budget, { $initiative }.
call-close = The round was closed: { $round }.
call-cancel = The round was called off: { $round }.
call-create-round = A round of municipality No. { $municipality } was created, appropriation { $amount }, token { $token }.
call-propose-mint = The treasurer proposed to mint tokens for { $amount } against the budget appropriation.
call-approve-mint = The controller approved minting No. { $id }: tokens for { $amount } against the budget appropriation.
call-cancel-mint = The proposal No. { $id } to mint was dropped.
call-admit = Municipality { $name }, OKTMO { $oktmo }, was admitted to the register.
call-grant-role = Access “{ $role }” in municipality No. { $id } was granted to { $account } from { $from } until { $until }.
call-revoke-role = Access “{ $role }” in municipality No. { $id } was revoked from { $account }.

# --- Events

event-unknown = An event of unknown kind.
event-details = Details of event { $index }
event-contract = Contract
event-name = Event
event-topic = Topic { $index }
event-data = Data
event-phase-changed = { $round } entered the phase “{ $phase }”.
event-class-added = { $round }: class { $class } with share weight { $weight } and an issuer key of its own was added.
event-initiative-added = Added: { $initiative }, cost { $cost }, piggy bank { $wallet }.
event-credentials-issued = { $round }: the issuer says that { $count } credentials were issued in class { $class }.
event-registered = Account { $account } registered in class { $class }. { $round }.
event-registration-skipped = Registration of account { $account } was skipped: { $reason }.
event-pledging-opened = { $round }: pledging opened. The budget of { $budget } is divided by a total weight of { $weight }.
event-allocation-cumulative = Account { $account } distributed its share: { $choices }. Version { $version }.
event-allocation-approval = Account { $account } supported: { $choices }. Version { $version }.
event-allocation-empty = Account { $account } took its whole share back. Version { $version }.
event-allocation-skipped = Version { $version } of the distribution of account { $account } was skipped: { $reason }.
event-settlement-proposed = { $count ->
    [0] { $round }: a result without winners was proposed. It becomes final not before { $final }. Digest of the count { $digest }.
   *[other] { $round }: a result was proposed, the winners are { $winners }. Together they cost { $cost }. It becomes final not before { $final }. Digest of the count { $digest }.
}
event-settlement-approved = { $round }: the result that { $proposer } proposed was approved by the controller { $approver }. Digest of the count { $digest }.
event-settlement-withdrawn = { $round }: the proposed result was withdrawn by { $account }, digest { $digest }.
event-settlement-finalized = { $count ->
    [0] { $round }: the result is final, nothing won. { $returned } went back to the budget.
   *[other] { $round }: the result is final, the winners are { $winners }. Together they cost { $cost }, { $returned } went back to the budget.
}
event-initiative-won = Won: { $initiative }. Its piggy bank held { $pledged }, now exactly its cost, { $funded }.
event-initiative-lost = Did not win: { $initiative }. { $pledged } were returned from its piggy bank.
event-payment-recorded = { $amount } were paid to a contractor, { $initiative }. Payment document { $reference }.
event-round-created = Round No. { $id } was created: { $round }, { $token }.
event-municipality-admitted = Municipality No. { $id } was admitted: { $name }, OKTMO { $oktmo }.
event-role-granted = Access “{ $role }” in municipality No. { $id } was granted to { $account } from { $from } until { $until }.
event-role-revoked = Access “{ $role }” in municipality No. { $id } was revoked from { $account }.
event-ownership-transferred = The register passed from { $from } to { $to }.
event-appropriation-recorded = { $token }: a budget appropriation of { $amount } for { $year } was recorded, budget code { $kbk }.
event-mint-proposed = The treasurer { $proposer } proposed to mint tokens for { $amount }, proposal No. { $id }.
event-mint-cancelled = The proposal No. { $id } to mint was dropped by { $account }.
event-budget-minted = Tokens for { $amount } were minted: proposed by { $proposer }, approved by { $approver }. { $total } in all.
event-paused = New actions are paused; returns of money and reading go on. Reason { $reason }.
event-unpaused = New actions go on.
event-execution-scheduled = Deadlines were set, { $initiative }: the report is due by { $until }.
event-milestone-postponed = The deadline of the stage “{ $stage }” moved from { $from } to { $until }, { $initiative }. Reason { $reason }.
event-milestone-reached = The stage “{ $stage }” is reached, { $initiative }. Recorded by { $account }, document { $document }.
event-execution-abandoned = Given up, the money is back in the budget, { $initiative }. Reason { $reason }.
stage-plan = plan
stage-contract = contract
stage-acceptance = acceptance
stage-report = report
event-payment-burned = Tokens for { $amount } were burnt for a payment, { $initiative }.
event-returned-to-budget = { $amount } went back to the budget from { $from }.
event-foreign-transfer = Transfer of { $amount } units from { $from } to { $to }. Token { $token }.

transfer-minted = { $amount } were minted into the round’s treasury.
transfer-burnt = { $amount } were burnt from { $from }.
transfer-released = { $amount } passed from the treasury to the round’s common purse.
transfer-purse-to-wallet = { $amount } from the common purse to { $to }.
transfer-wallet-to-purse = { $amount } returned to the common purse from { $from }.
transfer-share = { $amount } of a citizen’s share were set aside for { $to }.
transfer-back = { $amount } returned to the share of account { $from }.
transfer-pledged = Account { $from } put { $amount } into { $to }.
transfer-taken-back = Account { $to } took { $amount } back from { $from }.
transfer-other = { $amount } from { $from } to { $to }.

skip-none = no reason given
skip-already-registered = this account is registered already
skip-funds-exhausted = the budget does not cover another share
skip-not-registered = the account is not registered in this round
skip-signature-invalid = the signature does not fit
skip-version-not-higher = the same or a newer version is recorded already
skip-choices-malformed = the distribution is malformed

choice-with-points = { $initiative } — { $points ->
    [one] { $points } point
   *[other] { $points } points
}

# --- Addresses

label-zero = zero address
label-municipalities = Register of municipalities
label-rounds = Register of rounds
label-issuer-keys = Register of issuer keys
label-polls = Polls
label-reward-points = Points
label-reward-shop = Reward shop
label-anchors = Anchors of registers
label-milestones = Execution of initiatives
label-round-implementation = Code of rounds
label-token-implementation = Code of tokens
label-round = Round No. { $id } “{ $title }”
label-round-untitled = Round No. { $id }
label-token = Token { $symbol }
label-wallet = Piggy bank No. { $id } “{ $title }”
label-wallet-untitled = Piggy bank No. { $id }
label-relayer = Relayer
label-role-treasurer = Treasurer, { $municipality }
label-role-clerk = Clerk, { $municipality }
label-role-issuer = Issuer, { $municipality }
label-role-partner = Partner, { $municipality }
label-role-controller = Controller, { $municipality }
label-role-registrar = Registrar, { $municipality }
role-none = no role
role-treasurer = Treasurer
role-clerk = Clerk
role-issuer = Issuer of credentials
role-partner = Partner
role-controller = Controller
role-registrar = Registrar
role-revoked = revoked
address-account = Address
address-contract = Contract
address-citizen = Anonymous account of a citizen
address-open = Open the page with all about it
address-unused = Nobody has used this address yet.
address-citizen-note = A citizen’s throw-away account. Nobody knows whose it is, not even those who run the round: the credential was issued blindly.
address-balance = Balance
address-holdings = Tokens
address-sent = Transactions sent
address-first = First seen
address-last = Last seen
address-code = Size of the code
address-creation = Created
address-participation = Participation
participation-registered = Registered: { $round }, class { $class }.
participation-allocated = Distribution, version { $version }: { $choices }.
participation-skipped = A message was skipped ({ $reason }): { $round }.
allocation-current = counts
allocation-replaced = replaced
allocation-nothing = everything was taken back
tab-transactions = Transactions
tab-transfers = Transfers
tab-events = Events
tab-holders = Holders: { $count }

# --- Tokens

token-title = Token “{ $name }”
token-nameless = without a name
token-facts = Facts about the token
token-appropriation = Budget appropriation
token-minted = Minted
token-unminted = { $amount } may still be minted
token-supply = In circulation
token-paid = Paid to contractors
token-returned = Returned to the budget
token-promise = One token is one ruble. No more than the appropriation can be minted; every token ends as a payment or back in the budget. Citizens cannot pass it to one another.
token-symbol = Symbol
token-decimals = Decimals
token-round = Round
token-holders = Holders
token-year = Fiscal year
token-kbk = Budget classification code
token-document = Budget decision
token-document-hash = Hash of the document
token-mints = Minting

# --- Rounds

rounds-title = Rounds
rounds-lead = Every round is a part of the budget that citizens divide themselves.
rounds-list = List of rounds
rounds-empty = There are no rounds yet.
round-number = Round No. { $id }
round-card-people = { $count ->
    [one] { $count } participant
   *[other] { $count } participants
}
round-card-allocated = distributed: { $count }
phase-draft = Preparation
phase-registration = Registration
phase-pledging = Pledging
phase-tallying = Counting
phase-objection = Objections
phase-settled = Execution
phase-closed = Closed
phase-cancelled = Called off
text-unpublished = The description is not published. Its hash:
round-result-link = Result of the round
round-small-crowd = { $count ->
    [one] Only { $count } credential was issued. In so small a group a person’s choice can be guessed.
   *[other] Only { $count } credentials were issued. In so small a group a person’s choice can be guessed.
}
round-budget = Budget
round-budget-preliminary = minted so far
round-registered = Registered
round-issued = credentials issued: { $count }
round-allocated = Distributed their share
round-turnout = { $percent } of the participants
round-in-wallets = In piggy banks
round-share = One citizen’s share
round-initiatives = { $count ->
    [one] { $count } initiative
   *[other] { $count } initiatives
}
round-initiatives-cost = Together they cost { $cost }, the budget is { $budget }.
round-surplus-note = What is collected above the cost returns to the supporters for other initiatives.
initiatives-empty = There are no initiatives yet.
live-on = Updates by itself
live-off = Updating is paused
live-lost = Connection lost, trying again
live-pause = Pause
live-resume = Resume
round-phases = Phases
step-registration-until = Ends not before { $when }.
step-pledging-until = Ends not before { $when }.
round-rules = Rules
rule-ballot = How citizens choose
ballot-kind-cumulative = { $points ->
    [one] A share is { $points } point to give to initiatives
   *[other] A share is { $points } points to give to initiatives
}
ballot-kind-approval = Citizens name initiatives, the share is divided equally among them
rule-allotment = A citizen’s share
allotment-fixed = { $amount } each while the budget lasts
allotment-equal = The budget equally among all who registered
rule-settlement = How the result is found
rule-equal-shares = Method of Equal Shares
rule-greedy = By the number of votes while the money lasts
completion-full = Shares are raised in steps of 1%, the rest is spent by the number of votes
completion-raise = Shares are raised in steps of 1%
completion-fill = The rest is spent by the number of votes
completion-none = Without raising or filling
rule-threshold = Threshold of support
rule-no-threshold = none
rule-objection = Time for objections
round-classes = Classes of citizens
round-chain = On chain
round-contract = Contract
round-token = Token
round-created = Created
round-skipped = Messages skipped
round-text-hash = Hash of the description
round-data = Data
round-allocations-link = All distributions
round-allocations-csv = All distributions as CSV
round-election-pb = Pabulib file for an independent count
round-election-json = Data of the count as JSON
round-portal-link = The round on the citizens’ site

# --- Initiatives

initiative-number = Initiative No. { $id }
initiative-untitled = Initiative No. { $id }
initiative-short = No. { $id } “{ $title }”
initiative-short-untitled = initiative No. { $id }
initiative-name = initiative No. { $id } “{ $title }”
initiative-name-untitled = initiative No. { $id }
initiative-won = Won
initiative-lost = Did not win
initiative-cost = Cost
initiative-supporters = Support
initiative-points = Points
initiative-pledged = Put in by citizens
initiative-balance = In the piggy bank now
initiative-funded = Granted by the result
initiative-paid = Paid to contractors
initiative-wallet = Piggy bank
initiative-wallet-note = This address has neither key nor code: only the round’s contract moves the money in it.
initiative-added = Added
initiative-payments = Payments
initiative-transfers = Moves of money
initiative-portal-link = Support it on the citizens’ site

# --- Distributions

allocations-title = Distributions
allocations-lead = How citizens’ accounts distributed their shares, replaced ones included. Whose an account is, nobody knows.
allocations-empty = Nobody has distributed anything yet.

# --- Result

result-title = Result of the round
result-early = Nothing was counted yet: while pledging goes on, citizens may change their minds.
result-unproposed = Pledging is over. Below is what the explorer counted; the round’s clerk has not proposed a result yet.
result-agrees = The counts agree.
result-agrees-note = The explorer counted by itself from chain data and found the same winners and the same digest that the contract holds.
result-differs = The counts differ!
result-differs-note = The winners or the digest in the contract differ from what chain data give. Our count is shown below.
result-window = Objections to the result are possible until { $until }.
result-window-over = The time for objections ended { $until }; the result can be made final.
result-winners-count = Winners
result-of = { $count ->
    [one] of { $count } initiative
   *[other] of { $count } initiatives
}
result-spent = Distributed
result-spent-share = { $percent } of { $budget }
result-voters = Voted
result-nothing = Left with nothing
result-share = Share at the end of the count
result-raised = raised by { $percent }%
result-winners = Winners
result-no-winners = No initiative won.
result-losers = Did not win
result-losers-note = “Covered by support” is the part of the cost that the supporters could pay with what they had left.
support-points = { $count ->
    [one] { $count } point
   *[other] { $count } points
}
support-votes = { $count ->
    [one] { $count } vote
   *[other] { $count } votes
}
route-equal-shares = Paid by its supporters, at most ₽{ $rate } each
route-equal-shares-points = Paid by its supporters, at most ₽{ $rate } for a point
route-fill = Fitted into the rest of the budget
route-greedy = Fitted into the budget by the number of votes
loss-no-support = Nobody supported it.
loss-below-threshold = It got { $support }, the threshold is { $threshold }.
loss-exceeds = It costs { $cost }, and { $remaining } were left.
loss-not-affordable = Its supporters could pay only { $percent } of the cost.
recount-title = Count for yourself
recount-lead = Your browser will take the records from the chain, find the winners by itself and compare them with what the contract holds. Nothing is sent anywhere.
recount-noscript = Counting in the browser needs JavaScript. Without it you can download the data below and count with any program.
recount-start = Recount in my browser
recount-reading = Reading records from the chain
recount-counting = Counting
recount-same = They agree: winners and digest are those of the contract.
recount-different = They differ: the result is not the one in the contract.
recount-unproposed = Counted. The contract holds no result yet, there is nothing to compare with.
recount-failed = The recount failed:
recount-winners = Winners by your count
recount-chain-winners = Winners in the contract
recount-digest = Digest by your count
recount-chain-digest = Digest in the contract
recount-ballots = Ballots counted
recount-seconds = Time, s
recount-stop = Stop
recount-own-node = Ask another node
recount-rpc-label = Address of the node, JSON-RPC
recount-rpc-hint = For example http://localhost:8545. While the field is empty, the node of this explorer gives the records.
recount-stopped = The recount was stopped.
recount-difference-missing = Won by your count, but the contract does not name it: { $initiative }.
recount-difference-extra = Named as a winner by the contract, but did not win by your count: { $initiative }.
recount-difference-digest = The digests differ: the result was counted from other data or by other rules.
recount-difference-total-cost = Total cost of the winners: { $announced } in the contract, { $counted } by your count.
recount-difference-more = Not all differences are shown, left out: { $count }.
recount-failure-address-malformed = The address of a node starts with http:// or https://.
recount-failure-unreachable = The node does not answer, or not in JSON-RPC ({ $detail }). Try again or name another node.
recount-failure-refused = The node refused { $method }: { $detail }.
recount-failure-other-chain = The node follows chain { $found }, but the round is on chain { $expected }.
recount-failure-not-a-round = The node sees no round at this address ({ $detail }). It may follow another chain.
recount-failure-no-logs = The node gives no logs even of the single block { $block }: { $detail }.
recount-failure-registrations-missing = The node left out logs: they hold { $registered } registrations, the contract counts { $counted }.
recount-failure-not-pledged = Pledging has not opened yet, there is nothing to count.
recount-failure-election-malformed = The records contradict the rules of the round: { $detail }.
recount-failure-internal = A fault in the recount itself: { $detail }.
recount-failure-event-malformed = A record cannot be read ({ $detail }). Block { $block }, log { $log }, transaction { $tx }.
recount-failure-event-foreign = The node gave a record that it was not asked for. Block { $block }, log { $log }, transaction { $tx }.
recount-failure-event-removed = The node gave a record that it calls removed itself. Block { $block }, log { $log }, transaction { $tx }.
recount-failure-class-out-of-order = Class { $class } was added out of order. Block { $block }, log { $log }, transaction { $tx }.
recount-failure-class-unknown = A registration in the unknown class { $class }. Block { $block }, log { $log }, transaction { $tx }.
recount-failure-initiative-twice = Initiative { $initiative } was added twice. Block { $block }, log { $log }, transaction { $tx }.
recount-failure-registered-twice = Account { $account } was registered twice. Block { $block }, log { $log }, transaction { $tx }.
recount-failure-never-registered = An allocation of account { $account }, which was never registered, was recorded. Block { $block }, log { $log }, transaction { $tx }.
recount-failure-version-not-higher = Version { $version } of account { $account } was recorded after version { $before }. Block { $block }, log { $log }, transaction { $tx }.
result-check = Check
result-rule = Rule
result-digest = Digest of our count
result-chain-digest = Digest in the contract
result-files = Data
result-history = History of the result
settlement-proposed = The result was proposed
settlement-withdrawn = The result was withdrawn
settlement-final = The result became final

# --- JSON-RPC

rpc-title = JSON-RPC for programs
rpc-lead = At this address programs can read the chain. Writing is not possible through it.
rpc-batch = A request may hold up to { $count } calls.
rpc-methods = Methods on offer

# --- Errors

error-database = The database does not answer. Please try again in a minute.
error-index-empty = The explorer has not read any block yet. Please come back a little later.
error-address-malformed = This is no address: an address is 0x and 40 hexadecimal digits.
error-block-malformed = This is neither the number nor the hash of a block.
error-block-missing = There is no such block.
error-block-not-indexed = Block { $number } is on the chain, but the explorer has not processed it yet. Please come back in a few seconds.
error-tx-malformed = This is no hash of a transaction: a hash is 0x and 64 hexadecimal digits.
error-tx-missing = There is no such transaction, neither in blocks nor among those waiting.
error-token-missing = There is no token at this address.
error-token-silent = There is a contract at this address, but it has not issued any tokens yet.
error-round-missing = There is no such round.
error-initiative-missing = There is no such initiative in the round.
error-election-early = Pledging has not begun, there is nothing to count yet.
