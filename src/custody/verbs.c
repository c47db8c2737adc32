/*
 * The table of what a front may ask. What is not in it is no request.
 */
#include "custody/cases.h"
#include "custody/grants.h"
#include "custody/guards.h"
#include "custody/histories.h"
#include "custody/losses.h"
#include "custody/putting.h"
#include "custody/scan.h"
#include "custody/standings.h"
#include "custody/witnesses.h"

static const struct verb_entry verbs[] = {
    {FRONT_SIGN_IN, VERB_NONE, false, verb_sign_in},
    {FRONT_PRESENT, VERB_NONE, false, verb_present},
    {FRONT_STATUS, VERB_STATUS, false, verb_status},
    {FRONT_CLIENT_ADD, VERB_CLIENT, true, verb_client_add},
    {FRONT_CLIENT_LIST, VERB_CLIENT_LIST, false, verb_client_list},
    {FRONT_CLIENT_CLOSE, VERB_CLIENT, true, verb_client_close},
    {FRONT_MAP_SET, VERB_MAP, true, verb_map_set},
    {FRONT_MAP_SHOW, VERB_MAP_SHOW, false, verb_map_show},
    {FRONT_RECIPIENT, VERB_CLIENT_LIST, false, verb_recipient},
    {FRONT_PURPOSE_ADD, VERB_PURPOSE, true, verb_purpose_add},
    {FRONT_PURPOSE_LIST, VERB_PURPOSE_LIST, false, verb_purpose_list},
    {FRONT_PURPOSE_CLOSE, VERB_PURPOSE, true, verb_purpose_close},
    {FRONT_STAFF_ADD, VERB_STAFF, true, verb_staff_add},
    {FRONT_STAFF_LIST, VERB_STAFF_LIST, false, verb_staff_list},
    {FRONT_STAFF_END, VERB_STAFF, true, verb_staff_end},
    {FRONT_INVITE, VERB_INVITE, true, verb_invite},
    {FRONT_REKEY, VERB_AUTHENTICATOR, true, verb_rekey},
    {FRONT_UNTIL, VERB_STAFF, true, verb_staff_until},
    {FRONT_ENROL, VERB_NONE, true, verb_enrol},
    {FRONT_DEVICE_ADD, VERB_DEVICE, true, verb_device_add},
    {FRONT_DEVICE_LIST, VERB_DEVICE_LIST, false, verb_device_list},
    {FRONT_DEVICE_RETIRE, VERB_DEVICE, true, verb_device_retire},
    {FRONT_ENTRUST, VERB_ENTRUST, false, verb_entrust},
    {FRONT_DISCLOSE, VERB_DISCLOSE, false, verb_disclose},
    {FRONT_SLOTS, VERB_SLOTS, true, verb_slots},
    {FRONT_SLOT_GIVE, VERB_SLOT_GIVE, true, verb_slot_give},
    {FRONT_SLOTS_LIST, VERB_SLOTS_LIST, false, verb_slots_list},
    {FRONT_ZONE_ADD, VERB_ZONE, true, verb_zone_add},
    {FRONT_ZONE_LIST, VERB_ZONE_LIST, false, verb_zone_list},
    {FRONT_ZONE_CLOSE, VERB_ZONE, true, verb_zone_close},
    {FRONT_ZONE_ROLE, VERB_ZONE, true, verb_zone_role},
    {FRONT_STANDING_ADD, VERB_STANDING, true, verb_standing_add},
    {FRONT_STANDING_END, VERB_REFUSE, true, verb_standing_end},
    {FRONT_STANDING_LIST, VERB_APPROVALS, false, verb_standing_list},
    /* Each use is decided on what the change before it left. */
    {FRONT_STATEMENT, VERB_STATEMENT, true, verb_statement},
    {FRONT_HAND_OVER, VERB_HAND_OVER, true, verb_hand_over},
    {FRONT_CHECK, VERB_CHECK, false, verb_check},
    {FRONT_RECEIPT, VERB_RECEIPT, false, verb_receipt},
    {FRONT_CAMPAIGN_ADD, VERB_CAMPAIGN, true, verb_campaign_add},
    {FRONT_CAMPAIGN_LIST, VERB_CAMPAIGN_LIST, false, verb_campaign_list},
    {FRONT_CAMPAIGN_CLOSE, VERB_CAMPAIGN, true, verb_campaign_close},
    {FRONT_ATTEMPT, VERB_ATTEMPT, false, verb_attempt},
    {FRONT_ATTEMPT_LIST, VERB_ATTEMPT, false, verb_attempt_list},
    {FRONT_CORRECT, VERB_CORRECT, true, verb_correct},
    {FRONT_STOP, VERB_STOP, true, verb_stop},
    {FRONT_RESTRICT, VERB_RESTRICT, true, verb_restrict},
    {FRONT_LEDGER_VERIFY, VERB_LEDGER_VERIFY, false, verb_ledger_verify},
    {FRONT_LEDGER_EXPORT, VERB_LEDGER_EXPORT, false, verb_ledger_export},
    {FRONT_LEDGER_CHECKPOINT, VERB_LEDGER_EXPORT, false, verb_ledger_checkpoint},
    {FRONT_LEDGER_PROOF, VERB_LEDGER_EXPORT, false, verb_ledger_proof},
    {FRONT_WITNESS_ADD, VERB_WITNESS, true, verb_witness_add},
    {FRONT_WITNESS_LIST, VERB_WITNESS_LIST, false, verb_witness_list},
    {FRONT_WITNESS_RETIRE, VERB_WITNESS, true, verb_witness_retire},
    {FRONT_WITNESS_LIMIT, VERB_WITNESS, true, verb_witness_limit},
    {FRONT_COSIGNED, VERB_COSIGNED, true, verb_cosigned},
    {FRONT_LEDGER_QUERY, VERB_LEDGER_QUERY, false, verb_ledger_query},
    {FRONT_BACKUP, VERB_BACKUP, true, verb_backup},
    {FRONT_BACKUP_END, VERB_BACKUP, false, verb_backup_end},
    {FRONT_DECLARE_LOSS, VERB_DECLARE_LOSS, true, verb_declare_loss},
    {FRONT_CASE_OPEN, VERB_CASE, true, verb_case_open},
    {FRONT_CASE_ALLOW, VERB_CASE, true, verb_case_allow},
    {FRONT_CASE_LIST, VERB_CASE_LIST, false, verb_case_list},
    {FRONT_CASE_CLOSE, VERB_CASE_CLOSE, true, verb_case_close},
    {FRONT_DEVICE_GUARD, VERB_DEVICE, true, verb_device_guard},
    {FRONT_GUARD_SIGN_IN, VERB_NONE, false, verb_guard_sign_in},
    {FRONT_GUARD_REPORT, VERB_GUARD, false, verb_guard_report},
    {FRONT_PUT_SIGN_IN, VERB_NONE, false, verb_put_sign_in},
    {FRONT_PUT, VERB_GUARD, false, verb_put},
    {FRONT_PUT_BYTES, VERB_GUARD, false, verb_put_bytes},
    {FRONT_PUT_END, VERB_GUARD, false, verb_put_end},
    {FRONT_PUT_WRITTEN, VERB_GUARD, false, verb_put_written},
    {FRONT_GRANT_ADD, VERB_GRANT, true, verb_grant_add},
    {FRONT_GRANT_LIST, VERB_GRANT_LIST, false, verb_grant_list},
    {FRONT_GRANT_CLOSE, VERB_GRANT, true, verb_grant_close},
    {FRONT_LEDGER_PLUGGED, VERB_LEDGER_QUERY, false, verb_ledger_plugged},
    {FRONT_HISTORY_ADD, VERB_HISTORY, true, verb_history_add},
    {FRONT_HISTORY_IMPORT, VERB_HISTORY_IMPORT, false, verb_history_import},
    {FRONT_HISTORY_LIST, VERB_HISTORY_LIST, false, verb_history_list},
    {FRONT_TRACE_LIST, VERB_TRACE, false, verb_trace_list},
    {FRONT_TRACE, VERB_TRACE, false, verb_trace},
    {FRONT_TRACE_ROWS, VERB_TRACE, false, verb_trace},
    {FRONT_SCAN, VERB_SCAN, false, verb_scan},
    {FRONT_POLICY_ADD, VERB_POLICY, true, verb_policy_add},
    {FRONT_POLICY_LIST, VERB_POLICY_LIST, false, verb_policy_list},
    {FRONT_POLICY_EXTEND, VERB_POLICY, true, verb_policy_extend},
    {FRONT_POLICY_CLOSE, VERB_POLICY, true, verb_policy_close},
    /* Asking takes the place of a change, and its verb. */
    {FRONT_ASK, VERB_NONE, true, verb_ask},
    {FRONT_APPROVALS, VERB_APPROVALS, false, verb_approvals},
    {FRONT_APPROVAL, VERB_APPROVALS, false, verb_approval},
    {FRONT_APPROVE, VERB_APPROVE, true, verb_approve},
    {FRONT_REFUSE, VERB_REFUSE, true, verb_refuse},
};

const struct verb_entry *
verb_of(uint16_t type)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(verbs); i++) {
		if (verbs[i].type == type)
			return &verbs[i];
	}
	return NULL;
}
