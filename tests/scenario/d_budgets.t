#!/bin/sh
# Budgets: a steady thief is stopped after the number that the policy promises, whatever happens to the house meanwhile.
. "$(dirname "$0")/lib.sh"

run init --house h --officer aoki --key-out aoki.key --unsealed
export AZUKARI_HOUSE=$work/h AZUKARI_KEY=$work/aoki.key
run client add c01 --name One
run client add c02 --name Two
run purpose add c01/p --fields name --roles agent --until 2099-01-01
run purpose add c02/p --fields name --roles agent --until 2099-01-01
run staff add mori --role supervisor --key-out mori.key
run staff add ito --role agent --key-out ito.key
run staff add abe --role agent --key-out abe.key
run staff add ueda --role agent --key-out ueda.key
{
	echo number,name,phone
	for i in $(seq 40); do printf '%d,Person %d,0312340%03d\n' "$i" "$i" "$i"; done
} >list.csv
as mori entrust --client c01 --purpose p --as-of 2026-01-01 list.csv
gives 0 'a list goes in'
as mori entrust --client c02 --purpose p --as-of 2026-01-01 list.csv
gives 0 'and the same of another client'

sees() { as "$1" disclose --client "$2" --purpose p --by "number=$3" --reason enquiry; }
calls() { as "$1" disclose --client "$2" --purpose p --by "number=$3" --reason enquiry --call 8841; }

run --json policy list
is "$(json '.policy[] | select(.role == "agent") | .house.searches.day')" 200 'a new house has a budget for agents'
is "$(json '[.policy[].role] | sort | join(" ")')" 'agent supervisor' 'and for nobody else but supervisors'

# Who may.
as ito policy list
gives 3 'an agent does not see the budgets'
for who in ito mori; do
	as $who policy add agent --calls 9/9/9 --searches 9/9/9 --minute 9 --hour 9 --slow 9
	gives 3 "$who sets no budget"
	as $who policy extend ito --of calls --day 5 --until 2099-01-01
	gives 3 "$who extends none"
	as $who policy review ito --of calls --life 5
	gives 3 "$who reviews none"
done
run policy extend aoki --of calls --day 5 --until "$(date -u +%F)"
gives 3 'nobody extends their own'
run policy add agent --calls 1/2 --searches 9/9/9 --minute 9 --hour 9 --slow 9
gives 2 'a budget has three numbers'
run policy add agent --calls 1/2/3x --searches 9/9/9 --minute 9 --hour 9 --slow 9
gives 2 'and nothing behind them'
run policy add agent --calls 1/2/3 --searches 9/9/9 --minute 9 --hour 9
gives 2 'and every rate'
run policy add nobody --calls 1/2/3 --searches 9/9/9 --minute 9 --hour 9 --slow 9
gives 2 'of a role that there is'
run policy extend nobody --of calls --day 5 --until "$(date -u +%F)"
gives 1 'an extension is somebody'"'"'s'
run policy extend ito --of calls --day 5 --until 2020-01-01
gives 1 'and not of yesterday'
run policy close 7
gives 1 'an extension that is not there cannot be closed'

# The number that the policy promises.
run policy add agent --calls 6/20/30 --searches 3/5/30 --client-calls 4/20/30 --minute 1000 --hour 1000 --slow 100
gives 0 'an officer sets a budget'
for i in 1 2 3; do
	sees ito c01 $i
	gives 0 "search $i of three"
done
sees ito c01 4
gives 5 'the fourth person is not shown'
grep -q 'Person 4' out err
[ $? -ne 0 ]
ok 'nor anything of them'
sees ito c01 2
gives 0 'the second is shown again'
sees ito c02 1
gives 5 'another client is no way round'
sees abe c01 4
gives 0 'another agent has a budget of their own'
calls ito c01 4
gives 0 'calls have one of their own'
run ledger query --client c01 --max 100
run --json ledger query --max 100
is "$(json '[.entries[] | select(.type == "refused" and .outcome == "limit reached")] | length')" 2 'both refusals stand in the ledger'

# Restarts and kill -9 give nothing back, and neither does taking the kept file away.
while pgrep -f "$work/h serve" >/dev/null; do sleep 0.1; done
[ -f h/keeper/budgets ]
ok 'what was counted is kept'
sees ito c01 4
gives 5 'nothing comes back with a restart'
pkill -9 -f "$work/h serve"
rm -f h/keeper/budgets
sees ito c01 4
gives 5 'nor after kill -9, without the kept file'
pkill -9 -f "$work/h serve"
head -c 200 /dev/urandom >h/keeper/budgets
sees ito c01 5
gives 5 'nor with another file in its place'
sees ito c01 1
gives 0 'and who was seen is known'

# One client's part of it.
for i in 4 5 6 7; do
	calls abe c01 $i
	gives 0 "call about person $i"
done
calls abe c01 8
gives 5 'no fifth of one client'
calls abe c02 8
gives 0 'but one of another'

# Extensions.
run policy extend ito --of searches --day 1 --until "$(date -u +%F)"
gives 0 'an officer extends a budget'
sees ito c01 4
gives 0 'by one person'
sees ito c01 5
gives 5 'and no more'
run policy close 1
gives 0 'the extension is closed'
sees ito c01 6
gives 5 'and nobody new is seen'
run --json policy list ito
is "$(json '.policy[0].searches.day')" 4 'the use is told'
is "$(json '.policy[1].extension')" 1 'and the extension'

# A life demands a review.
run policy add agent --calls 20/20/20 --searches 20/20/5 --minute 1000 --hour 1000 --slow 1
sees ito c01 7
gives 0 'the last person before a review'
sees ito c01 8
gives 5 'while a review is due it goes slowly'
run --json ledger query --max 100
is "$(json '[.entries[] | select(.type == "alarm" and .outcome == "limit reached")] | length')" 1 'and an alarm stands in the ledger'
run policy review ito --of searches --life 5
gives 0 'an officer reviews'
sees ito c01 8
gives 0 'and it goes on'

# Rates count what is not found.
run policy add agent --calls 20/20/20 --searches 20/20/90 --minute 3 --hour 1000 --slow 1
for i in 901 902 903; do
	sees ueda c01 $i
done
gives 1 'nobody of that number'
sees ueda c01 904
gives 5 'trying numbers out is slow'
as ueda attempt list --client c01 --purpose p --by number=905
gives 5 'whatever it is done with'
run policy add agent --calls 20/20/20 --searches 20/20/90 --minute 1000 --hour 1000 --slow 1
as ueda attempt list --client c01 --purpose p --by number=906
gives 1 'nobody of that number has attempts'
run --json policy list ueda
used=$(json '[.policy[0].minute, .policy[0].hour] | join(" ")')
while pgrep -f "$work/h serve" >/dev/null; do sleep 0.1; done
run --json policy list ueda
is "$(json '[.policy[0].minute, .policy[0].hour] | join(" ")')" "$used" 'and what was counted is the same after a restart'


# Notes are somebody's, too.
run policy add agent --calls 20/20/20 --searches 2/20/90 --minute 1000 --hour 1000 --slow 1
run staff add noda --role agent --key-out noda.key
for i in 1 2; do
	as noda attempt list --client c01 --purpose p --by number=$i
	gives 0 "the attempts of person $i are listed"
done
as noda attempt list --client c01 --purpose p --by number=3
gives 5 'but not of a third one'
as noda attempt list --client c01 --purpose p --by number=1
gives 0 'going back to the first is possible'
sees noda c01 3
gives 5 'and a search for another is over the limit as well'

run ledger verify
gives 0 'the ledger verifies'
plan
