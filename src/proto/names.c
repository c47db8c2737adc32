/*
 * Names of the codes. Each table is indexed by its enum, so that a code without a name is seen by the
 * tests, which walk every enum.
 */
#include "proto/proto.h"

#include <string.h>

/* The index of name in names[count], or 0, which never means anything in these tables. */
static unsigned int
find_name(const char *const *names, unsigned int count, const char *name)
{
	for (unsigned int i = 1; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return 0;
}

static const char *
name_at(const char *const *names, unsigned int count, unsigned int index)
{
	return index > 0 && index < count ? names[index] : NULL;
}

static const char *const field_names[FIELD_BUILTIN] = {
    [FIELD_NUMBER] = "number",
    [FIELD_NAME] = "name",
    [FIELD_SURNAME] = "surname",
    [FIELD_GIVEN] = "given",
    [FIELD_KANA] = "kana",
    [FIELD_BIRTH] = "birth",
    [FIELD_SEX] = "sex",
    [FIELD_POSTCODE] = "postcode",
    [FIELD_ADDRESS] = "address",
    [FIELD_PHONE] = "phone",
    [FIELD_MOBILE] = "mobile",
    [FIELD_EMAIL] = "email",
    [FIELD_NOTE] = "note",
};

const char *
field_name(unsigned int field)
{
	return field < FIELD_BUILTIN ? field_names[field] : NULL;
}

bool
field_parse(const char *name, unsigned int *ret_field)
{
	for (unsigned int i = 0; i < FIELD_BUILTIN; i++) {
		if (strcmp(field_names[i], name) == 0) {
			*ret_field = i;
			return true;
		}
	}
	return false;
}

bool
field_is_x_name(const char *name)
{
	size_t size = strlen(name);

	if (size < 3 || size > 34 || name[0] != 'x' || name[1] != ':')
		return false;
	return strspn(name + 2, "abcdefghijklmnopqrstuvwxyz0123456789-_") == size - 2;
}

static const char *const mask_names[] = {
    [MASK_HIDDEN] = "hidden",
    [MASK_FULL] = "full",
    [MASK_LAST4] = "last4",
    [MASK_FIRST] = "first",
    [MASK_YEAR] = "year",
    [MASK_DOMAIN] = "domain",
    [MASK_CHECK] = "check",
};

const char *
mask_name(enum mask mask)
{
	return (unsigned int)mask < AZ_ARRAY_SIZE(mask_names) ? mask_names[mask] : NULL;
}

bool
mask_parse(const char *name, enum mask *ret_mask)
{
	/* "hidden" cannot be asked for: a field that is not listed is hidden. */
	unsigned int mask = find_name(mask_names, AZ_ARRAY_SIZE(mask_names), name);

	if (mask == 0)
		return false;
	*ret_mask = (enum mask)mask;
	return true;
}

static const char *const class_names[CLASS_COUNT] = {
    [CLASS_NONE] = "none",
    [CLASS_IDENTITY] = "identity",
    [CLASS_CONTACT] = "contact",
    [CLASS_FINANCIAL] = "financial",
    [CLASS_CARD] = "card",
    [CLASS_SENSITIVE] = "sensitive",
    [CLASS_MY_NUMBER] = "my-number",
    [CLASS_OTHER] = "other",
};

const char *class_name(enum field_class class)
{
	return name_at(class_names, CLASS_COUNT, class);
}

bool
class_parse(const char *name, enum field_class *ret_class)
{
	unsigned int class = find_name(class_names, CLASS_COUNT, name);

	if (class == 0)
		return false;
	*ret_class = (enum field_class) class;
	return true;
}

enum field_class
field_class(unsigned int field)
{
	switch (field) {
	case FIELD_NUMBER:
	case FIELD_NAME:
	case FIELD_SURNAME:
	case FIELD_GIVEN:
	case FIELD_KANA:
	case FIELD_BIRTH:
	case FIELD_SEX: return CLASS_IDENTITY;
	case FIELD_POSTCODE:
	case FIELD_ADDRESS:
	case FIELD_PHONE:
	case FIELD_MOBILE:
	case FIELD_EMAIL: return CLASS_CONTACT;
	default: return CLASS_OTHER;
	}
}

enum mask class_mask(enum field_class class)
{
	switch (class) {
	case CLASS_IDENTITY:
	case CLASS_CONTACT:
	case CLASS_OTHER: return MASK_FULL;
	case CLASS_FINANCIAL:
	case CLASS_CARD:
	case CLASS_MY_NUMBER: return MASK_LAST4;
	case CLASS_SENSITIVE: return MASK_FIRST;
	case CLASS_NONE:
	case CLASS_COUNT:
	default: return MASK_HIDDEN;
	}
}

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_NONE] = "none",
    [ROLE_AGENT] = "agent",
    [ROLE_SUPERVISOR] = "supervisor",
    [ROLE_OFFICER] = "officer",
    [ROLE_INVESTIGATOR] = "investigator",
    [ROLE_MAINTAINER] = "maintainer",
};

const char *
role_name(enum role role)
{
	return name_at(role_names, ROLE_COUNT, role);
}

bool
role_parse(const char *name, enum role *ret_role)
{
	unsigned int role = find_name(role_names, ROLE_COUNT, name);

	if (role == 0)
		return false;
	*ret_role = (enum role)role;
	return true;
}

static const char *const mode_names[LIST_MODES] = {
    [LIST_NONE] = "none",
    [LIST_ADD] = "add",
    [LIST_FULL] = "full",
    [LIST_WITHDRAW] = "withdraw",
};

const char *
list_mode_name(enum list_mode mode)
{
	return name_at(mode_names, LIST_MODES, mode);
}

bool
list_mode_parse(const char *name, enum list_mode *ret_mode)
{
	unsigned int mode = find_name(mode_names, LIST_MODES, name);

	if (mode == LIST_NONE)
		return false;
	*ret_mode = (enum list_mode)mode;
	return true;
}

static const char *const statement_columns[STATEMENT_COUNT] = {
    [STATEMENT_INDEX] = "index",
    [STATEMENT_TIME] = "time",
    [STATEMENT_TYPE] = "type",
    [STATEMENT_STAFF] = "staff",
    [STATEMENT_DEVICE] = "device",
    [STATEMENT_PURPOSE] = "purpose",
    [STATEMENT_REASON] = "reason",
    [STATEMENT_BASIS] = "basis",
    [STATEMENT_RECORD] = "record",
    [STATEMENT_VERSION] = "version",
    [STATEMENT_SHOWN] = "shown",
    [STATEMENT_MASKED] = "masked",
    [STATEMENT_OUTCOME] = "outcome",
};

const char *
statement_column_name(unsigned int column)
{
	return column < STATEMENT_COUNT ? statement_columns[column] : NULL;
}

bool
statement_column_parse(const char *name, unsigned int *ret_column)
{
	for (unsigned int i = 0; i < STATEMENT_COUNT; i++) {
		if (strcmp(statement_columns[i], name) == 0) {
			*ret_column = i;
			return true;
		}
	}
	return false;
}

static const char *const verb_names[VERB_COUNT] = {
    [VERB_NONE] = "none",
    [VERB_STATUS] = "status",
    [VERB_CLIENT] = "client",
    [VERB_PURPOSE] = "purpose",
    [VERB_STAFF] = "staff",
    [VERB_DEVICE] = "device",
    [VERB_ENTRUST] = "entrust",
    [VERB_DISCLOSE] = "disclose",
    [VERB_LEDGER_VERIFY] = "ledger verify",
    [VERB_LEDGER_QUERY] = "ledger query",
    [VERB_CLIENT_LIST] = "client list",
    [VERB_PURPOSE_LIST] = "purpose list",
    [VERB_STAFF_LIST] = "staff list",
    [VERB_DEVICE_LIST] = "device list",
    [VERB_CORRECT] = "correct",
    [VERB_STOP] = "stop",
    [VERB_RESTRICT] = "restrict",
    [VERB_MAP] = "client map",
    [VERB_MAP_SHOW] = "client map show",
    [VERB_CAMPAIGN] = "campaign",
    [VERB_CAMPAIGN_LIST] = "campaign list",
    [VERB_ATTEMPT] = "attempt",
    [VERB_RECEIPT] = "receipt",
    [VERB_STANDING] = "standing approval",
    [VERB_STATEMENT] = "statement",
    [VERB_CASE] = "case",
    [VERB_TRACE] = "trace",
    [VERB_HISTORY] = "history",
    [VERB_CASE_LIST] = "case list",
    [VERB_CASE_CLOSE] = "case close",
    [VERB_HISTORY_IMPORT] = "history import",
    [VERB_HISTORY_LIST] = "history list",
    [VERB_SCAN] = "scan",
    [VERB_GUARD] = "guard",
    [VERB_GRANT] = "grant",
    [VERB_GRANT_LIST] = "grant list",
    [VERB_POLICY] = "policy",
    [VERB_POLICY_LIST] = "policy list",
    [VERB_APPROVE] = "approve",
    [VERB_REFUSE] = "refuse",
    [VERB_APPROVALS] = "approvals",
    [VERB_LEDGER_EXPORT] = "ledger export",
    [VERB_WITNESS] = "witness",
    [VERB_WITNESS_LIST] = "witness list",
    [VERB_COSIGNED] = "witness tell",
    [VERB_INVITE] = "invite",
    [VERB_AUTHENTICATOR] = "authenticator",
    [VERB_CHECK] = "check",
    [VERB_ZONE] = "zone",
    [VERB_SLOTS] = "key slots",
    [VERB_SLOT_GIVE] = "key give",
    [VERB_SLOTS_LIST] = "key slots list",
    [VERB_ZONE_LIST] = "zone list",
    [VERB_HAND_OVER] = "hand-over",
    [VERB_BACKUP] = "backup",
    [VERB_DECLARE_LOSS] = "declare loss",
};

const char *
verb_name(enum verb verb)
{
	return name_at(verb_names, VERB_COUNT, verb);
}

static const char *const channel_names[CHANNEL_COUNT] = {
    [CHANNEL_NONE] = "none",
    [CHANNEL_PHONE] = "phone",
    [CHANNEL_SMS] = "sms",
    [CHANNEL_EMAIL] = "email",
    [CHANNEL_POST] = "post",
};

const char *
channel_name(enum channel channel)
{
	return name_at(channel_names, CHANNEL_COUNT, channel);
}

bool
channel_parse(const char *name, enum channel *ret_channel)
{
	unsigned int channel = find_name(channel_names, CHANNEL_COUNT, name);

	if (channel == 0)
		return false;
	*ret_channel = (enum channel)channel;
	return true;
}

static const char *const attempt_names[ATTEMPT_COUNT] = {
    [ATTEMPT_NONE] = "none",
    [ATTEMPT_REACHED] = "reached",
    [ATTEMPT_NO_ANSWER] = "no-answer",
    [ATTEMPT_BUSY] = "busy",
    [ATTEMPT_VOICEMAIL] = "voicemail",
    [ATTEMPT_WRONG_NUMBER] = "wrong-number",
    [ATTEMPT_CALLBACK] = "callback",
    [ATTEMPT_REFUSED] = "refused",
    [ATTEMPT_OTHER] = "other",
};

const char *
attempt_name(enum attempt attempt)
{
	return name_at(attempt_names, ATTEMPT_COUNT, attempt);
}

bool
attempt_parse(const char *name, enum attempt *ret_attempt)
{
	unsigned int attempt = find_name(attempt_names, ATTEMPT_COUNT, name);

	if (attempt == 0)
		return false;
	*ret_attempt = (enum attempt)attempt;
	return true;
}

static const char *const reason_names[REASON_COUNT] = {
    [REASON_NONE] = "none",
    [REASON_ENQUIRY] = "enquiry",
    [REASON_OUTBOUND] = "outbound",
    [REASON_CALLBACK] = "callback",
    [REASON_COMPLAINT] = "complaint",
    [REASON_PAYMENT] = "payment",
    [REASON_IDENTITY_CHECK] = "identity-check",
    [REASON_CORRECTION] = "correction",
    [REASON_PERSONS_REQUEST] = "persons-request",
    [REASON_SUSPICION] = "suspicion",
    [REASON_AUDIT] = "audit",
    [REASON_AUTHORITY] = "authority",
};

const char *
reason_name(enum reason reason)
{
	return name_at(reason_names, REASON_COUNT, reason);
}

bool
reason_parse(const char *name, enum reason *ret_reason)
{
	unsigned int reason = find_name(reason_names, REASON_COUNT, name);

	if (reason == 0)
		return false;
	*ret_reason = (enum reason)reason;
	return true;
}

static const char *const basis_names[BASIS_COUNT] = {
    [BASIS_NONE] = "none",
    [BASIS_DIALLED] = "dialled",
    [BASIS_INBOUND_MATCH] = "inbound-match",
    [BASIS_CALLBACK] = "callback",
    [BASIS_MANUAL_SEARCH] = "manual-search",
    [BASIS_HAND_OVER] = "hand-over",
    [BASIS_CASE] = "case",
};

const char *
basis_name(enum basis basis)
{
	return name_at(basis_names, BASIS_COUNT, basis);
}

bool
basis_parse(const char *name, enum basis *ret_basis)
{
	unsigned int basis = find_name(basis_names, BASIS_COUNT, name);

	if (basis == 0)
		return false;
	*ret_basis = (enum basis)basis;
	return true;
}

static const char *const match_names[MATCH_KINDS] = {
    [MATCH_NONE] = "none",
    [MATCH_NUMBER] = "number",
    [MATCH_PHONE] = "phone",
    [MATCH_EMAIL] = "email",
    [MATCH_NAME_BIRTH] = "name+birth",
    [MATCH_NAME_PLACE] = "name+place",
    [MATCH_KANA_BIRTH] = "kana+birth",
    [MATCH_PLACE_BUILDING] = "place+building",
    [MATCH_NAME] = "name",
    [MATCH_BIRTH_REGION] = "birth+region",
    [MATCH_POSTCODE_NUMBER] = "postcode+number",
};

const char *
match_kind_name(enum match_kind kind)
{
	return name_at(match_names, MATCH_KINDS, kind);
}

bool
match_kind_parse(const char *name, enum match_kind *ret_kind)
{
	unsigned int kind = find_name(match_names, MATCH_ASKED, name);

	if (kind == MATCH_NONE)
		return false;
	*ret_kind = (enum match_kind)kind;
	return true;
}

static const char *const refusal_texts[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = "none",
    [REFUSAL_COLUMNS] = "more or fewer values than the header has columns",
    [REFUSAL_NO_NUMBER] = "the number is empty",
    [REFUSAL_DUPLICATE] = "an earlier row of the list has the same number",
    [REFUSAL_ENCODING] = "bytes that are no text",
    [REFUSAL_CONTROL] = "a control character inside a value",
    [REFUSAL_TOO_LONG] = "a value or the row is too long",
    [REFUSAL_QUOTE] = "a quote that is never closed",
    [REFUSAL_EMPTY] = "nothing but the number",
    [REFUSAL_NO_PERSON] = "a total or a header, and no person",
    [REFUSAL_JOIN_MISSING] = "something that people are joined by is missing",
    [REFUSAL_JOIN_SEVERAL] = "several people of the client are that",
    [REFUSAL_JOIN_PARTIAL] = "it may be somebody known: not all that people are joined by agrees",
    [REFUSAL_JOIN_TWICE] = "an earlier row of the list is the same person",
    [REFUSAL_JOIN_UNKNOWN] = "nobody of the client is that",
    [REFUSAL_CARD] = "a card number, which the purpose does not allow",
    [REFUSAL_MY_NUMBER] = "an individual number (My Number), which the purpose does not allow",
};

const char *
refusal_text(enum refusal refusal)
{
	return name_at(refusal_texts, REFUSAL_COUNT, refusal);
}

bool
label_is_valid(const char *label)
{
	size_t size = strlen(label);

	if (size == 0 || size >= LABEL_SIZE)
		return false;
	return strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	    size;
}

bool
name_is_valid(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size >= NAME_SIZE)
		return false;
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (byte < 0x20 || byte == 0x7f)
			return false;
	}
	return bytes_are_utf8(bytes_of(name));
}

bool
call_is_valid(const char *call)
{
	size_t size = strlen(call);

	if (size == 0 || size >= CALL_SIZE)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (call[i] < 0x21 || call[i] > 0x7e)
			return false;
	}
	return true;
}
