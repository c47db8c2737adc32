# Completion of azukari for bash.
_azukari() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' sub='' i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--house | --key) ((i++)) ;;
		-*) ;;
		*)
			if [ -z "$command" ]; then command=${COMP_WORDS[i]}; else sub=${COMP_WORDS[i]}; break; fi
			;;
		esac
	done
	local words=''
	case $before in
	--house | --out | --seen | --anchor) COMPREPLY=($(compgen -d -- "$word")); return ;;
	--key | --key-out | --keys) COMPREPLY=($(compgen -f -- "$word")); return ;;
	--role | --roles) words='agent supervisor officer investigator maintainer' ;;
	--reason) words='enquiry outbound callback complaint payment identity-check correction persons-request suspicion audit authority' ;;
	--basis) words='dialled inbound-match callback manual-search hand-over' ;;
	--by) words='number= phone= mobile= email= name= surname= given= birth= address=' ;;
	--is) words='number= name= surname= given= kana= birth= sex= postcode= address= phone= mobile= email= note= x:' ;;
	--outside) words='masked nothing' ;;
	--of) words='calls searches' ;;
	--outcome) words='reached no-answer busy voicemail wrong-number callback refused other' ;;
	--channel) words='phone sms email post all' ;;
	--allow) words='card my-number' ;;
	--kinds) words='card my_number phone email' ;;
	--mode) words='add full withdraw' ;;
	*)
		case $command,$sub in
		,*) words='init serve unlock status client purpose policy zone witness staff invite device grant inspect entrust receipt disclose check hand-over statement campaign attempt correct stop restrict case history trace ledger ask approve refuse approvals scan backup key restore demo --house --key --json --despite-loss --version -h' ;;
		init,*) words='--house --officer --name --key-out --passphrase --unsealed' ;;
		client,add) words='--name --category' ;;
		client,*) words='add list close map recipient' ;;
		purpose,add) words='--fields --roles --until --class --allow --unmask --zones --outside' ;;
		purpose,*) words='add list close' ;;
		policy,add) words='agent supervisor --calls --searches --client-calls --client-searches --minute --hour --slow' ;;
		policy,extend) words='--of --day --month --life --until' ;;
		policy,review) words='--of --life' ;;
		policy,*) words='add list extend review close' ;;
		key,slots) words='--officers --needed' ;;
		key,give) words='--passphrase' ;;
		key,backup) words='--until' ;;
		key,*) words='slots give backup' ;;
		zone,add | zone,change) words='--network --device' ;;
		zone,role) words='agent supervisor officer investigator maintainer --zones --outside --any' ;;
		zone,*) words='add change close role list' ;;
		witness,add) words='--vkey' ;;
		witness,*) words='add list limit tell retire' ;;
		staff,add) words='--role --name --employer --agency --tier --from --until --key-out --public' ;;
		staff,key) words='--out --name' ;;
		ask,*) words='--expires --note client purpose campaign restrict staff invite device grant policy zone witness restore key statement' ;;
		approvals,*) words='--all --standing' ;;
		staff,rekey) words='--public' ;;
		staff,enrol) words='--out --name --code' ;;
		staff,*) words='add list end until rekey key enrol' ;;
		invite,*) words='--role --name --employer --agency --tier --from --until --days' ;;
		serve,*) words='--anchor' ;;
		unlock,*) words='--officer --passphrase' ;;
		device,add | device,guard) words='--public' ;;
		device,key) words='--out' ;;
		device,*) words='add guard list retire key' ;;
		inspect,*) words='--columns --csv --keys --password --password-fd' ;;
		entrust,*) words='--client --purpose --as-of --mode --join --columns --strict --password --password-fd --receipt' ;;
		disclose,*) words='--client --purpose --by --record --reason --basis --campaign --call --unmask --why' ;;
		hand-over,*) words='--client --purpose --by --record --to --minutes --reason' ;;
		statement,allow) words='--recipient --columns --rows --every --hours --until' ;;
		statement,make) words='--out --recipient --columns --rows --from' ;;
		statement,*) words='allow make list end' ;;
		check,*) words='--client --purpose --by --is --reason --basis --campaign --call' ;;
		grant,add) words='--vendor --product --serial --until --write' ;;
		grant,*) words='add list close' ;;
		campaign,add) words='--purpose --from --until --hours --staff --lists' ;;
		campaign,*) words='add list close' ;;
		attempt,list) words='--client --purpose --by --record --max' ;;
		attempt,*) words='list --client --purpose --by --record --outcome --callback --note --campaign --call --reason' ;;
		correct,*) words='--client --purpose --by --record --set --reason --call' ;;
		stop,*) words='--client --purpose --by --record --channel --lift --reason' ;;
		restrict,*) words='--client --purpose --by --record --fields --two-people --open-for --minutes --lift --reason' ;;
		case,open) words='--reason --rows --clients --days --hash' ;;
		case,*) words='open list allow close' ;;
		history,) words='import list' ;;
		trace,*) words='--case --rows --bundle --recipient --columns --password --password-fd' ;;
		ledger,verify) words='--client' ;;
		ledger,query) words='--client --record --staff --max --before --plugged --device' ;;
		ledger,checkpoint) words='--client --out' ;;
		ledger,proof) words='--client --out' ;;
		ledger,export) words='--log' ;;
		ledger,cosign) words='--witness --witness-vkey' ;;
		ledger,*) words='verify query checkpoint proof export cosign' ;;
		scan,*) words='--case --patterns --kinds --hits --jobs --max-unpacked --max-seconds' ;;
		restore,*) words='--keys --declare-loss --seen' ;;
		demo,*) words='--out --people --clients --seed' ;;
		esac
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
	{ [ "$command" = backup ] || [ "$command" = restore ]; } && COMPREPLY+=($(compgen -d -- "$word"))
	{ [ "$command" = entrust ] || [ "$command" = inspect ]; } && COMPREPLY+=($(compgen -f -- "$word"))
	return 0
}
complete -F _azukari azukari
