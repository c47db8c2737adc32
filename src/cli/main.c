/*
 * azukari: the table of commands. Each line's usage is what -h prints and what its man page begins with.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "config.h"

static const struct command commands[] = {
    {"init", cmd_init, "found a house",
	"azukari init --house DIR --officer LABEL --officer LABEL --key-out FILE [options]\n"
	"       azukari init --house DIR --officer LABEL --key-out FILE --unsealed [--name NAME]\n"
	"  --officer LABEL  who founds it, and the other officer, who is invited\n"
	"  --key-out FILE   where the first officer's own key goes\n"
	"  --name NAME      the first officer's name\n"
	"  --passphrase @N  reads the first officer's passphrase from descriptor N, not the "
	"terminal\n"
	"  --unsealed       for demonstrations and tests: a plain root key, one officer\n"
	"example: azukari init --house h --officer aoki --key-out aoki.key --unsealed"},
    {"serve", cmd_serve, "run the house's processes",
	"azukari [--house DIR] serve [--anchor DIR]\n"
	"  Runs keeper and vault until SIGTERM, and starts them anew when one dies.\n"
	"  Commands start an unsealed house themselves, for as long as they need it.\n"
	"  --anchor DIR  on another machine: gets each signed checkpoint; a ledger that is\n"
	"                behind what lies there is refused (exit 4)\n"
	"example: azukari --house h serve --anchor /mnt/anchor"},
    {"unlock", cmd_unlock, "open a sealed house after a start",
	"azukari unlock --officer LABEL [--passphrase @N]\n"
	"  Asks for the officer's passphrase on the terminal.\n"
	"  --officer LABEL  whose passphrase it is\n"
	"  --passphrase @N  reads it from descriptor N\n"
	"example: azukari --house h unlock --officer aoki"},
    {"status", cmd_status, "what the house says of itself",
	"azukari status\n"
	"example: azukari --key aoki.key status"},
    {"client", cmd_client, "organisations that entrust lists",
	"azukari client add LABEL --name NAME [--category TEXT]\n"
	"       azukari client list\n"
	"       azukari client close LABEL\n"
	"       azukari client map LABEL [SPEC|none]\n"
	"       azukari client recipient\n"
	"  map shows or sets which columns are which fields in the client's lists, as for entrust\n"
	"  recipient prints whom clients seal their lists to: age -r RECIPIENT -o list.age "
	"list.csv\n"
	"example: azukari client add c01 --name \"City of Example\" --category health-check"},
    {"purpose", cmd_purpose, "why records may be seen, and what of them",
	"azukari purpose add CLIENT/LABEL --fields FIELD[:MASK],… --roles ROLE,… --until DATE\n"
	"                    [--class x:FIELD=CLASS,…] [--allow CLASS,…] [--unmask FIELD,…]\n"
	"                    [--zones ZONE,… [--outside masked|nothing]]\n"
	"       azukari purpose list [CLIENT]\n"
	"       azukari purpose close CLIENT/LABEL\n"
	"  fields  number name surname given kana birth sex postcode address phone mobile\n"
	"          email note x:NAME\n"
	"  masks   full, last4, first, year (of birth), domain (of email), check (not shown, for\n"
	"          check only); where none is given full, but last4 for financial, card and\n"
	"          my-number, first for sensitive\n"
	"  class   what a field of the client's own is about: identity contact financial card\n"
	"          sensitive my-number other (the default)\n"
	"  allow   card, my-number: numbers that rows are refused for unless it is said\n"
	"  unmask  fields shown in part that may be shown whole, with a reason in words\n"
	"  zones   where it is shown: azukari zone; any unless they are said\n"
	"  outside of them nothing is shown, or only masked\n"
	"  roles   agent, supervisor, investigator\n"
	"example: azukari purpose add c01/checkup --fields name,phone:last4,address "
	"--roles agent --until 2027-03-31"},
    {"policy", cmd_policy, "how many people each human may see, and how fast",
	"azukari policy add ROLE --calls DAY/MONTH/LIFE --searches DAY/MONTH/LIFE\n"
	"               --minute N --hour N --slow N\n"
	"               [--client-calls D/M/L] [--client-searches D/M/L]\n"
	"       azukari policy list [STAFF]\n"
	"       azukari policy extend STAFF --of calls|searches [--day N] [--month N]\n"
	"               [--life N] --until DATE\n"
	"       azukari policy review STAFF --of calls|searches --life N\n"
	"       azukari policy close EXTENSION\n"
	"  --calls            distinct people seen for calls with a reference: in any\n"
	"                     24 hours, in any 30 days, and until a review is due\n"
	"  --searches         the same without a call reference\n"
	"  --client-calls, --client-searches\n"
	"                     people of any one client; as for all of them if not given\n"
	"  --minute, --hour   questions, found or not\n"
	"  --slow             questions in an hour while a review is due\n"
	"  list STAFF shows what somebody has used, and their extensions\n"
	"example: azukari policy add agent --calls 120/1500/20000 --searches 20/100/500 "
	"--minute 10 --hour 60 --slow 5"},
    {"zone", cmd_zone, "from where what is shown",
	"azukari zone add LABEL [--network ADDRESS/BITS …] [--device LABEL …]\n"
	"       azukari zone change LABEL [--network ADDRESS/BITS …] [--device LABEL …]\n"
	"       azukari zone close LABEL\n"
	"       azukari zone role ROLE (--zones ZONE,… [--outside masked|nothing] | --any)\n"
	"       azukari zone list\n"
	"  --network  one of them, if any are named, and\n"
	"  --device   one of these enrolled devices, if any are named\n"
	"  --zones    where people of the role see anything\n"
	"  --outside  what they see elsewhere: nothing unless it is said, or only masked\n"
	"  --any      they are bound to no zone\n"
	"  loopback is the zone of every command on this machine.\n"
	"example: azukari zone add floor2 --device desk7 --device desk8"},
    {"witness", cmd_witness, "who cosigns the ledger outside, and how old that may be",
	"azukari witness add LABEL --vkey FILE\n"
	"       azukari witness list\n"
	"       azukari witness limit HOURS|none\n"
	"       azukari witness tell FILE|DIR\n"
	"       azukari witness retire LABEL\n"
	"  --vkey   its key, as azukari-verify witness prints it\n"
	"  limit    older cosignatures of a log raise an alarm and stop exports and cases\n"
	"  tell     hands the house a checkpoint that azukari ledger cosign had cosigned, or the\n"
	"           one in an exported log\n"
	"example: azukari witness add city --vkey city.vkey"},
    {"staff", cmd_staff, "the people who work here, and their keys",
	"azukari staff add LABEL --role ROLE [options] (--key-out FILE | --public HEX)\n"
	"       azukari staff list\n"
	"       azukari staff end LABEL\n"
	"       azukari staff until LABEL DATE|-\n"
	"       azukari staff rekey LABEL --public HEX\n"
	"       azukari staff key --out FILE [--name NAME]\n"
	"       azukari staff enrol --out FILE [--name NAME] [--code CODE]\n"
	"  roles            agent, supervisor, officer, investigator, maintainer\n"
	"  --name NAME      for people to read\n"
	"  --employer NAME  who employs them\n"
	"  --agency NAME    who sent them\n"
	"  --tier N         contracts between them and us, 0 to 9\n"
	"  --from DATE      their first day\n"
	"  --until DATE     their last\n"
	"  --key-out FILE   makes the key here, in an unsealed house only\n"
	"  --public HEX     the public half that staff key printed\n"
	"  --out FILE       where the own key goes\n"
	"  --code CODE      of the invitation: in arguments in an unsealed house only; @N reads\n"
	"                   descriptor N\n"
	"example: azukari staff add ito --role agent --key-out ito.key"},
    {"invite", cmd_invite, "let somebody make a key of their own",
	"azukari invite LABEL --role ROLE [options]\n"
	"  --name NAME      for people to read\n"
	"  --employer NAME  who employs them\n"
	"  --agency NAME    who sent them\n"
	"  --tier N         contracts between them and us, 0 to 9\n"
	"  --from DATE      their first day\n"
	"  --until DATE     their last\n"
	"  --days N         how long the code is of use, 7 unless it is said; at most 30\n"
	"  Prints a code for them alone: azukari staff enrol\n"
	"example: azukari invite ito --role agent --agency 'Temp Ltd' --until 2027-03-31"},
    {"device", cmd_device, "the machines people work at",
	"azukari device add LABEL --public HEX\n"
	"       azukari device guard LABEL --public HEX\n"
	"       azukari device list\n"
	"       azukari device retire LABEL\n"
	"       azukari device key [--out FILE]\n"
	"  device key makes this machine's key and prints its public half\n"
	"  device guard lets the guard of that key (azukari-guard key) report for a device\n"
	"  --out FILE  instead of where it is looked for; AZUKARI_DEVICE then names it\n"
	"example: azukari device add desk7 --public 3f…"},
    {"key", cmd_key, "whose passphrases open the house; a copy of its keys, apart",
	"azukari key slots\n"
	"       azukari key slots --officers LABEL,… --needed N\n"
	"       azukari key give [--passphrase @N]\n"
	"       azukari key backup FILE [--until DATE]\n"
	"  slots shows whose passphrases open the house, and who has given for other slots\n"
	"  --officers LABEL,…  who shall hold one, once approved and given by each of them\n"
	"  --needed N          how many of them must unlock the house\n"
	"  give gives one's own, on the terminal\n"
	"  --passphrase @N     reads it from descriptor N\n"
	"  backup writes the key ring, and what opens it, into FILE: of a sealed house nothing\n"
	"  without the officers' passphrases, of an unsealed one the root key in plain\n"
	"  --until DATE        when it is to be destroyed; restore takes it no longer (90 days)\n"
	"example: azukari key slots --officers aoki,kondo,abe --needed 2"},
    {"inspect", cmd_inspect, "how a list would be read",
	"azukari inspect [--columns SPEC] [--csv | --keys] [--password] FILE|-\n"
	"  Needs no house: encoding, separator, columns and why, and which rows would be refused.\n"
	"  --columns SPEC  which columns are which fields, as for entrust\n"
	"  --csv           writes the list as clean UTF-8 CSV with a header\n"
	"  --keys          writes row,kind,key: the match keys in readable form\n"
	"  --password      asks for the password of an archive or workbook\n"
	"  --password-fd N reads it from descriptor N\n"
	"example: azukari inspect list.csv"},
    {"entrust", cmd_entrust, "seal a list",
	"azukari entrust --client LABEL --purpose LABEL --as-of DATE [options] FILE|-\n"
	"  --as-of DATE    the day that the list describes\n"
	"  --columns SPEC  FIELD=HEADER[+HEADER…],… or FIELD=#N, or FIELD=@FROM-TO for fixed "
	"widths\n"
	"  --strict        reject the list if any row is refused\n"
	"  --password      asks for the password of an archive or workbook\n"
	"  --password-fd N reads it from descriptor N\n"
	"  --receipt FILE  writes the signed receipt there\n"
	"  --join KIND,…   the list has no numbers: people are those who agree in all of these:\n"
	"                  phone email name+birth name+place\n"
	"  --mode MODE     add (these people, too), full (these and nobody else), withdraw\n"
	"                  (these no more)\n"
	"example: azukari --key mori.key entrust --client c01 --purpose checkup "
	"--as-of 2026-04-01 list.csv"},
    {"receipt", cmd_receipt, "signed proof of a list, for its client",
	"azukari receipt CONSIGNMENT\n"
	"  As JSON it is the signed document itself, to give to the client and to keep.\n"
	"example: azukari --key mori.key --json receipt 1 >receipt.json"},
    {"disclose", cmd_disclose, "see one person, for one call",
	"azukari disclose --client LABEL --purpose LABEL (--by FIELD=VALUE | --record N)\n"
	"                 --reason CODE [options]\n"
	"  --by FIELD=VALUE  number, phone, mobile, email, or name with birth or address;\n"
	"                    in arguments in an unsealed house only\n"
	"  --by FIELD        asks for the value on the terminal\n"
	"  --by FIELD=@N     reads it from descriptor N\n"
	"  --reason CODE     enquiry outbound callback complaint payment identity-check\n"
	"                    correction persons-request suspicion audit authority\n"
	"  --basis CODE      dialled inbound-match callback manual-search hand-over;\n"
	"                    inbound-match where --call is given, else manual-search\n"
	"  --call REF        the call's reference\n"
	"  --campaign LABEL  only its people, on its days and at its hours\n"
	"  --record N        whom a colleague has handed over\n"
	"  --unmask FIELD,…  shown whole, where the purpose lets it be, and counted as a search, "
	"too\n"
	"  --why TEXT        needed with it: why, in words; in arguments in an unsealed house "
	"only;\n"
	"                    @N reads a line of descriptor N, - asks on the terminal\n"
	"example: azukari --key ito.key disclose --client c01 --purpose checkup "
	"--by phone=03-1234-5678 --reason enquiry --call 8841"},
    {"check", cmd_check, "whether a field of one person is a value: yes or no",
	"azukari check --client LABEL --purpose LABEL --by FIELD=VALUE --is FIELD=VALUE [options]\n"
	"  --by FIELD=VALUE  whom the call is about, as for disclose\n"
	"  --is FIELD=VALUE  what the field might be; FIELD asks on the terminal, FIELD=@N reads "
	"a\n"
	"                    descriptor; values in arguments in an unsealed house only\n"
	"  --reason CODE     identity-check unless another is said\n"
	"  --basis CODE      inbound-match where --call is given, else manual-search\n"
	"  --call REF        the call's reference\n"
	"  --campaign LABEL  only its people, on its days and at its hours\n"
	"  Three wrong values in an hour are the most for one person, whoever asks.\n"
	"example: azukari --key ito.key check --client c01 --purpose checkup "
	"--by phone=03-1234-5678 --is birth=1980-03-04"},
    {"grant", cmd_grant, "a memory that may be plugged in, to be read or written",
	"azukari grant add DEVICE --vendor HEX --product HEX --serial TEXT --until DATE [--write]\n"
	"       azukari grant list\n"
	"       azukari grant close NUMBER\n"
	"  the guard of DEVICE lets that one USB memory in, read-only, until the end of DATE\n"
	"  --write          nobody but the guard mounts it, and azukari-guard put writes to it\n"
	"example: azukari grant add desk7 --vendor 0781 --product 5581 --serial 4C530001 "
	"--until 2026-12-24"},
    {"statement", cmd_statement, "what a client's log says, for the client, again and again",
	"azukari statement allow CLIENT --recipient AGE --columns COLUMN,… --rows N\n"
	"                  --every TIME [--hours HH:MM-HH:MM] --until DATE\n"
	"       azukari statement make NUMBER --out FILE [--columns COLUMN,…] [--rows N]\n"
	"                  [--recipient AGE] [--from INDEX]\n"
	"       azukari statement list\n"
	"       azukari statement end NUMBER\n"
	"  allow asks for a standing approval of exactly that\n"
	"  --recipient AGE  what each statement is sealed to\n"
	"  --columns        index time type staff device purpose reason basis record version\n"
	"                   shown masked outcome\n"
	"  --rows N         in one statement, at most\n"
	"  --every TIME     90s, 30m, 12h or 7d from one to the next, at least\n"
	"  --hours          where the house is, also over midnight; any unless they are said\n"
	"  --until DATE     the last day, at most 366 days ahead\n"
	"  make writes one, from where the last ended or --from; what goes beyond what was\n"
	"  approved is refused\n"
	"  list shows them with what is left; end (or refuse REQUEST) ends one\n"
	"example: azukari statement make 1 --out c01.csv.age"},
    {"hand-over", cmd_hand_over, "hand the person of a call to a colleague",
	"azukari hand-over --client LABEL --purpose LABEL (--by number=VALUE | --record N)\n"
	"                  --to STAFF [options]\n"
	"  --record N       the person whom you have seen last, within the hour\n"
	"  --to STAFF       who gets them: azukari disclose … --record N\n"
	"  --minutes N      for how long, 15 unless it is said, at most 60\n"
	"  --reason CODE    enquiry unless another is said\n"
	"example: azukari --key ito.key hand-over --client c01 --purpose checkup --record 1 "
	"--to mori"},
    {"campaign", cmd_campaign, "a purpose at work: which people, when, by whom",
	"azukari campaign add CLIENT/LABEL --purpose LABEL --until DATE [options]\n"
	"       azukari campaign list [CLIENT]\n"
	"       azukari campaign close CLIENT/LABEL\n"
	"  --from DATE    the first day; today unless another is said\n"
	"  --hours HH:MM-HH:MM  where the house is, also over midnight; any unless they are said\n"
	"  --staff LABEL,…      only these; whoever the purpose is for unless they are said\n"
	"  --lists N,…          only people of these consignments; of all unless they are said\n"
	"example: azukari campaign add c01/spring --purpose checkup --until 2027-03-31 "
	"--hours 09:00-20:00"},
    {"attempt", cmd_attempt, "how a call or try ended",
	"azukari attempt --client LABEL --purpose LABEL (--by number=VALUE | --record N)\n"
	"                --outcome CODE [options]\n"
	"       azukari attempt list --client LABEL --purpose LABEL\n"
	"                (--by number=VALUE | --record N) [--max N]\n"
	"  --outcome CODE  reached no-answer busy voicemail wrong-number callback refused other\n"
	"  --callback TIME YYYY-MM-DDTHH:MM, where this machine is; needed with callback\n"
	"  --note TEXT     in arguments in an unsealed house only; @N reads a line of descriptor "
	"N,\n"
	"                  - asks on the terminal\n"
	"  --campaign LABEL\n"
	"  --call REF      the call's reference\n"
	"  --reason CODE   outbound unless another is said\n"
	"  list shows the newest, with their notes; 20 unless --max says otherwise, at most 100\n"
	"example: azukari --key ito.key attempt --client c01 --purpose checkup --record 1 "
	"--outcome no-answer"},
    {"correct", cmd_correct, "put somebody's fields right",
	"azukari correct --client LABEL --purpose LABEL (--by number=VALUE | --record N)\n"
	"                --set FIELD=VALUE … [options]\n"
	"  --set FIELD=VALUE  in arguments in an unsealed house only; an empty value says that\n"
	"                     there is none; FIELD asks on the terminal, FIELD=@N reads a "
	"descriptor\n"
	"  --reason CODE      correction unless another is said\n"
	"  --call REF         the call's reference\n"
	"example: azukari --key ito.key correct --client c01 --purpose checkup --record 1 "
	"--set phone=03-1234-5679"},
    {"stop", cmd_stop, "no calls to somebody, by channel",
	"azukari stop --client LABEL --purpose LABEL (--by number=VALUE | --record N) [options]\n"
	"  --channel LIST  phone, sms, email, post or all (the default), with commas\n"
	"  --lift          take the stop back; supervisors only\n"
	"  --reason CODE   persons-request unless another is said\n"
	"example: azukari --key ito.key stop --client c01 --purpose checkup --record 1 --channel "
	"phone"},
    {"restrict", cmd_restrict, "fields of somebody that are withheld",
	"azukari restrict --client LABEL --purpose LABEL (--by number=VALUE | --record N)\n"
	"                 --fields FIELD,… [options]\n"
	"  without another option nobody sees the fields, and nobody is found by them\n"
	"  --two-people      they are seen when two people have opened them\n"
	"  --open-for LABEL  opens such fields to one human for --minutes N (1440)\n"
	"  --lift            take the restriction back\n"
	"  --reason CODE     persons-request unless another is said\n"
	"example: azukari restrict --client c01 --purpose checkup --record 1 --fields "
	"address,phone"},
    {"case", cmd_case, "what an investigator may trace",
	"azukari case open --reason REASON [--rows N] [--clients LABEL,…] [--days N]\n"
	"               [--hash SHA256]\n"
	"       azukari case list\n"
	"       azukari case allow CASE SHA256\n"
	"       azukari case close CASE\n"
	"  --rows N         in all its traces together (1000000)\n"
	"  --clients        whose lists are searched (all)\n"
	"  --days N         from when an officer approves it (14)\n"
	"  --hash SHA256    the only file that may be traced\n"
	"  allow asks for a list that looks made up to find out who is here\n"
	"example: azukari case open --reason suspicion --clients c01"},
    {"history", cmd_history, "what another system says about who saw whom",
	"azukari history import FILE\n"
	"       azukari history list\n"
	"  FILE  CSV with the columns time,staff,device,client,number,fields,kind,carrier;\n"
	"        asked for the first time, imported once it is approved\n"
	"example: azukari history import dialler-2024.csv"},
    {"trace", cmd_trace, "whose the rows of a leaked list are",
	"azukari trace --case N [options] FILE...\n"
	"  FILE             as entrust reads them, and of any columns; - for standard input\n"
	"  --rows OUT       a line for each row, as CSV: row,verdict,client,consignment,number,\n"
	"                   version,score,kinds\n"
	"  --bundle DIR     puts the result with proofs of the entries behind it into a new "
	"folder\n"
	"  --recipient AGE  seals these rows; needed in a sealed house\n"
	"  --columns MAP    FIELD=HEADER,… instead of the header\n"
	"  --password, --password-fd N  of an archive or workbook\n"
	"example: azukari --key sato.key trace --case 1 --rows rows.csv leak.csv"},
    {"ledger", cmd_ledger, "the evidence",
	"azukari ledger verify [--client LABEL]\n"
	"       azukari ledger query [--client LABEL] [--record N | --staff LABEL] [--before N] "
	"[--max N]\n"
	"       azukari ledger query --plugged [--device LABEL] [--before N] [--max N]\n"
	"       azukari ledger checkpoint [--client LABEL] [--out FILE]\n"
	"       azukari ledger proof [--client LABEL] [--out FILE] INDEX\n"
	"       azukari ledger export [--log LABEL] DIR\n"
	"       azukari ledger cosign --witness URL --witness-vkey FILE DIR\n"
	"  verify reads every entry again; exit 4 if one is not as it was written\n"
	"  query shows the newest entries first; 20 unless --max says otherwise, at most 500\n"
	"  query --plugged shows what guards report, with the disclosures at the same device in "
	"the\n"
	"  hour before; --before N goes on before entry N\n"
	"  checkpoint, proof, export are for others, in forms that tools of others check:\n"
	"  the signed size and root, the proof of one entry, and the whole log; an older\n"
	"  export in DIR is brought up to date\n"
	"  cosign shows the export in DIR to a witness, and keeps its cosignature there\n"
	"example: azukari ledger export --log c01 c01-log"},
    {"scan", cmd_scan, "find personal data in files and disks",
	"azukari scan --case N [options] PATH…|-\n"
	"       azukari scan --patterns [--kinds KIND,…] [--hits] [options] PATH…|-\n"
	"  --case N             whose people are in it, of the case's clients, and where\n"
	"  --patterns           card and My Numbers, telephones, e-mail addresses; needs no house\n"
	"  --kinds KIND,…       card my_number phone email; all unless some are named\n"
	"  --hits               the place of each, never what it says\n"
	"  --jobs N             files at once; as many as there are processors\n"
	"  --max-unpacked SIZE  what one file may unpack to, or a pipe give (8G)\n"
	"  --max-seconds N      how long that may take (300)\n"
	"  exit of --patterns 0: all was read and nothing found; 1: found; 5: nothing found, not\n"
	"  all read\n"
	"example: azukari --key sato.key scan --case 1 /media/disk"},
    {"ask", cmd_ask, "have somebody else approve a command",
	"azukari ask [--expires TIME] [--note TEXT] COMMAND …\n"
	"  COMMAND         client purpose campaign restrict staff device grant policy zone "
	"witness\n"
	"                  restore key statement\n"
	"  --expires TIME  90s, 30m, 12h, 7d (the default), at most 30d\n"
	"  --note TEXT     for who approves\n"
	"  What a role must ask is asked without this word, too.\n"
	"example: azukari ask --note 'for the new desk' device add desk7 --public 3f…"},
    {"approve", cmd_approve, "approve what somebody else asked",
	"azukari approve N\n"
	"  Shows what it is, signs exactly that, and has it done.\n"
	"example: azukari approve 1"},
    {"refuse", cmd_refuse, "refuse what somebody else asked",
	"azukari refuse N\n"
	"example: azukari refuse 1"},
    {"approvals", cmd_approvals, "what waits to be approved",
	"azukari approvals [--all | --standing | N]\n"
	"  --all       what was decided or has expired, too\n"
	"  --standing  what is allowed again and again, with what is left of it\n"
	"  N           one of them, with the document that is signed\n"
	"example: azukari approvals"},
    {"backup", cmd_backup, "copy a house, without its keys",
	"azukari backup DIR\n"
	"  DIR  a folder to make: vault, ledger, house.db, catalogue, as ciphertext and codes\n"
	"  A house that is served goes on; lists, corrections and reading the ledger wait.\n"
	"example: azukari --key kato.key backup /mnt/backup/2026-11-25"},
    {"restore", cmd_restore, "make a house out of a backup",
	"azukari restore DIR --keys FILE\n"
	"       azukari restore --declare-loss [--seen DIR]…\n"
	"  DIR             the backup; the house that is named must not be there yet\n"
	"  --keys FILE     what azukari key backup wrote, at the time of the backup or later\n"
	"  --declare-loss  of a house that was seen to have had more: says what was seen, has it\n"
	"                  approved, and begins another generation of the ledger, without budgets\n"
	"  --seen DIR      where somebody else's commands keep what they have seen of it\n"
	"example: azukari --house h2 restore /mnt/backup/2026-11-25 --keys house.keys"},
    {"demo", cmd_demo, "make a sample house",
	"azukari demo [--people N] [--clients N] [--seed N] [DIR]\n"
	"       azukari demo --out DIR [options]\n"
	"  DIR          a folder to make (azukari-demo): lists as clients send them, an unsealed\n"
	"               house that keeps them, keys, receipts\n"
	"  --people N   who do not exist (90000)\n"
	"  --clients N  (59)\n"
	"  --seed N     the same lists from the same seed (0)\n"
	"  --out DIR    the lists alone\n"
	"example: azukari demo --people 90000 --clients 59 sample"},
};

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

int
cli_fail(const struct az_err *err)
{
	(void)fprintf(stderr, "azukari: %s\n", err->text);
	return az_exit_code(err->status);
}

int
cli_usage(const char *command, const char *problem)
{
	const struct command *found = find(command);

	if (problem != NULL)
		(void)fprintf(stderr, "azukari %s: %s\n", command, problem);
	if (found != NULL)
		(void)fprintf(stderr, "usage: %s\n", found->usage);
	return CLI_EXIT_USAGE;
}

static void
print_help(FILE *file)
{
	(void)fprintf(file,
	    "usage: azukari [--house DIR] [--key FILE] [--json] [--despite-loss] COMMAND …\n"
	    "  --house DIR  the house; or AZUKARI_HOUSE\n"
	    "  --key FILE   your key; or AZUKARI_KEY\n"
	    "  --json       one JSON document on standard output\n"
	    "  --despite-loss  for approve, approvals, refuse, status: keep back what was seen of "
	    "a\n"
	    "               restored house\n"
	    "  -h           this; after a command, its usage\n"
	    "\ncommands:\n");
	for (size_t i = 0; i < AZ_ARRAY_SIZE(commands); i++)
		(void)fprintf(file, "  %-9s %s\n", commands[i].name, commands[i].summary);
	(void)fprintf(file,
	    "\nexit: 0 done; 1 failed, nothing changed; 2 usage; 3 denied; 4 evidence of\n"
	    "tampering; 5 limit, busy, several matches, or no keeper\n"
	    "example: azukari --house h --key aoki.key status\n");
}

/* Who decides on a declared loss has seen more than the house has; for anything else that is evidence. */
static bool
may_despite_loss(const char *command)
{
	return strcmp(command, "approve") == 0 || strcmp(command, "approvals") == 0 ||
	    strcmp(command, "refuse") == 0 || strcmp(command, "status") == 0;
}

int
cli_run(const struct cli *cli, int argc, char **argv)
{
	const struct command *command = find(argv[0]);

	if (command == NULL) {
		(void)fprintf(stderr, "azukari: there is no command %s\n", argv[0]);
		print_help(stderr);
		return CLI_EXIT_USAGE;
	}
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			(void)printf("usage: %s\n", command->usage);
			return 0;
		}
	}
	if (cli->despite_loss && !may_despite_loss(command->name)) {
		(void)fprintf(stderr,
		    "azukari: --despite-loss is for approve, approvals, refuse and status\n");
		return CLI_EXIT_USAGE;
	}
	optind = 0; /* getopt begins anew */
	return command->run(cli, argc, argv);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"house", required_argument, NULL, 'H'},
	    {"key", required_argument, NULL, 'k'}, {"json", no_argument, NULL, 'j'},
	    {"despite-loss", no_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {0}};
	struct cli cli = {.house = getenv("AZUKARI_HOUSE"), .key = getenv("AZUKARI_KEY")};
	int option;

	/* The first word that is no option is the command; what follows belongs to it. */
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'H': cli.house = optarg; break;
		case 'k': cli.key = optarg; break;
		case 'j': cli.json = true; break;
		case 'd': cli.despite_loss = true; break;
		case 'h': print_help(stdout); return 0;
		case 'V': (void)printf("azukari %s\n", AZ_VERSION); return 0;
		default: print_help(stderr); return CLI_EXIT_USAGE;
		}
	}
	if (optind >= argc) {
		print_help(stderr);
		return CLI_EXIT_USAGE;
	}
	return cli_run(&cli, argc - optind, argv + optind);
}
