# Completion of azukari-verify for bash.
_azukari_verify() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--vkey | --house-vkey | --other-vkey | --other | --witness | --newest | --log | --proof | --list | --init | --listen) ((i++)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	local words=''
	case $before in
	--log | --other) COMPREPLY=($(compgen -d -- "$word")); return ;;
	--vkey | --house-vkey | --other-vkey | --witness | --newest | --proof | --list) COMPREPLY=($(compgen -f -- "$word")); return ;;
	*)
		case $command in
		'') words='checkpoint consistency inclusion receipt bundle log witness --json --version -h' ;;
		checkpoint) words='--vkey --witness' ;;
		consistency) words='--vkey --log --proof' ;;
		inclusion) words='--vkey' ;;
		receipt) words='--vkey --house-vkey --list' ;;
		bundle) words='--house-vkey' ;;
		witness) words='--init --listen' ;;
		log) words='--vkey --newest --witness --other --other-vkey --story' ;;
		esac
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
	[ -z "$command" ] || COMPREPLY+=($(compgen -f -- "$word"))
	return 0
}
complete -F _azukari_verify azukari-verify
