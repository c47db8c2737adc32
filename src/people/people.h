/*
 * Staff, their keys, enrolled machines, and who is signed in where.
 *
 * A human is known by a public key that is theirs alone; a machine by another. A session is one human at one
 * device; signing in at a second device ends the session at the first (take-over). All in memory; the
 * ledger and house.db keep what must last.
 *
 * Threads  one.
 */
#ifndef AZ_PEOPLE_H
#define AZ_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "crypto/sign.h"
#include "proto/proto.h"

#define PEOPLE_STAFF_MAX    65536u
#define PEOPLE_DEVICES_MAX  65536u
#define PEOPLE_SESSIONS_MAX 8192u

#define PEOPLE_TIER_MAX 9u

struct staff {
	uint32_t id; /* from 1, never reused */
	char label[LABEL_SIZE];
	char name[NAME_SIZE]; /* may be empty */
	enum role role;
	/* Whose human this is: the employer; the agency that sent them; how many contracts lie between, 0 for our own. */
	char employer[NAME_SIZE], agency[NAME_SIZE]; /* may be empty */
	uint8_t tier;                                /* at most PEOPLE_TIER_MAX */
	int32_t from, until; /* first and last day of work; AZ_DATE_NONE: none is set */
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	/* Who asked for the key to be theirs, or for a new one: they could have kept it. 0: the founding. */
	uint32_t keyed_by;
	int64_t keyed_us; /* 0: they have no key yet, and cannot sign in */
	/* Of who is invited and has no key yet: the SHA-256 of a code, and when it stops being of use. */
	uint8_t invitation[32];
	int64_t invited_until_us; /* 0: not invited */
	int64_t added_us;
	int64_t ended_us; /* 0: not ended */
};

struct device {
	uint32_t id;
	char label[LABEL_SIZE];
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	int64_t added_us;
	int64_t retired_us;
	/* The authenticator of its guard, and since when; 0: it has none. */
	uint8_t guard_key[SIGN_PUBLIC_SIZE];
	int64_t guarded_us;
};

struct session {
	uint32_t id; /* from 1, counted by the house, never reused */
	uint32_t staff;
	uint32_t device;
	uint32_t connections;
	bool taken_over; /* its connections are ended; it shows nothing any more */
	int64_t since_us;
};

struct people;

AZ_CHECKED enum az_status people_new(struct people **ret_people, struct az_err *reterr);
void people_free(struct people **people);

/*
 * Whether this human or device can be added: valid label, name and role, no other of that label that has not
 * ended, no other with that key, ever, human or device. AZ_INVALID, AZ_CONFLICT, AZ_LIMIT with a reason.
 */
AZ_CHECKED enum az_status people_may_add_staff(
    const struct people *people, const struct staff *staff, struct az_err *reterr);
AZ_CHECKED enum az_status people_may_add_device(
    const struct people *people, const struct device *device, struct az_err *reterr);

/*
 * Puts one in, or replaces the one with its id: what was committed is taken as it is. ids need not be
 * given in order. AZ_NO_MEMORY, AZ_INVALID (id 0, or above the maximum).
 */
AZ_CHECKED enum az_status people_put_staff(
    struct people *people, const struct staff *staff, struct az_err *reterr);
AZ_CHECKED enum az_status people_put_device(
    struct people *people, const struct device *device, struct az_err *reterr);

/* The id the next one gets. */
uint32_t people_next_staff(const struct people *people);
uint32_t people_next_device(const struct people *people);

/* Whether they work here at this time: have a key, have not ended, and it is one of their days. */
bool staff_is_here(const struct staff *staff, int64_t now_us);

/* NULL if there is none. By label and by key: only those that have not ended. Borrowed until a put. */
const struct staff *people_staff(const struct people *people, uint32_t id);
const struct staff *people_staff_labelled(const struct people *people, const char *label);
const struct device *people_device(const struct people *people, uint32_t id);
const struct device *people_device_labelled(const struct people *people, const char *label);

/* Who was invited with a code of this hash and may still enrol; NULL. */
const struct staff *people_invited(
    const struct people *people, const uint8_t invitation[32], int64_t now_us);
/* Whether a key can become somebody's: no human or device has it, or ever had. AZ_CONFLICT. */
AZ_CHECKED enum az_status people_may_take_key(const struct people *people,
    const uint8_t key[SIGN_PUBLIC_SIZE], const char *label, struct az_err *reterr);

/* The same for the guard of a device. */
AZ_CHECKED enum az_status people_may_guard(const struct people *people,
    const uint8_t key[SIGN_PUBLIC_SIZE], const char *label, struct az_err *reterr);

/*
 * Which device's guard signed a challenge. AZ_DENIED as people_recognise: no enrolled device has a guard of that key, or the
 * signature is wrong.
 */
AZ_CHECKED enum az_status people_recognise_guard(const struct people *people,
    struct bytes challenge, const uint8_t key[SIGN_PUBLIC_SIZE],
    const uint8_t signature[SIGNATURE_SIZE], uint32_t *ret_device, struct az_err *reterr);

/*
 * Who signed a challenge (the channel's handshake hash, as front_signed says), with both keys. AZ_DENIED if a key is not known,
 * has ended, does not work here at this time, or a signature is wrong: the reasons are not told apart.
 */
AZ_CHECKED enum az_status people_recognise(const struct people *people, struct bytes challenge,
    int64_t now_us, const uint8_t staff_key[SIGN_PUBLIC_SIZE],
    const uint8_t staff_signature[SIGNATURE_SIZE], const uint8_t device_key[SIGN_PUBLIC_SIZE],
    const uint8_t device_signature[SIGNATURE_SIZE], uint32_t *ret_staff, uint32_t *ret_device,
    struct az_err *reterr);

/*
 * At which device somebody signed, in a context of their own, who has no key here yet: the new key's signature and the device's. Fails
 * as people_recognise.
 */
AZ_CHECKED enum az_status people_recognise_new(const struct people *people, struct bytes challenge,
    const uint8_t new_key[SIGN_PUBLIC_SIZE], const uint8_t new_signature[SIGNATURE_SIZE],
    const uint8_t device_key[SIGN_PUBLIC_SIZE], const uint8_t device_signature[SIGNATURE_SIZE],
    uint32_t *ret_device, struct az_err *reterr);

/*
 * One more connection of staff at device: joins their session there, or makes one. If they are signed in
 * at another device, that session is marked taken over and *ret_taken_over is its id, else 0. AZ_LIMIT.
 */
AZ_CHECKED enum az_status people_sign_in(struct people *people, uint32_t staff, uint32_t device,
    int64_t now_us, uint32_t *ret_session, bool *ret_is_new, uint32_t *ret_taken_over,
    struct az_err *reterr);
/* One connection less; true if it was the last and the session has ended. */
bool people_sign_out(struct people *people, uint32_t session);
/* NULL if it has ended. */
const struct session *people_session(const struct people *people, uint32_t id);
/* Session ids continue after this one (what earlier runs of the keeper used). */
void people_sessions_after(struct people *people, uint32_t id);
size_t people_session_count(const struct people *people);

/* In order of id. */
void people_each_staff(
    const struct people *people, void (*visit)(void *arg, const struct staff *staff), void *arg);
void people_each_device(
    const struct people *people, void (*visit)(void *arg, const struct device *device), void *arg);

/* The stored and replayed forms; AZ_INVALID on reading anything else. docs/format/house-db.md. */
AZ_CHECKED enum az_status staff_encode(const struct staff *staff, struct buffer *buffer);
AZ_CHECKED enum az_status staff_decode(struct bytes bytes, struct staff *ret_staff);
AZ_CHECKED enum az_status device_encode(const struct device *device, struct buffer *buffer);
AZ_CHECKED enum az_status device_decode(struct bytes bytes, struct device *ret_device);

#endif
