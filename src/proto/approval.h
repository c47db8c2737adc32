/*
 * What somebody asks others to approve, as one document: exactly these bytes are signed by who approves and
 * kept (docs/format/approvals.md). It holds the request as the front sent it, who asked, until when it may
 * be approved, and what it asks in words, so that an approver reads what they sign.
 */
#ifndef AZ_PROTO_APPROVAL_H
#define AZ_PROTO_APPROVAL_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "proto/proto.h"

#define APPROVAL_NONCE_SIZE   16u
#define APPROVAL_WHAT_MAX     4000u
#define APPROVAL_DOCUMENT_MAX 56000u /* fits a thing, a payload and a message */
#define APPROVALS_NEEDED_MAX  2u

/* What a signature of an approval is over: this context, then the SHA-256 of the document (front_signed). */
#define APPROVAL_CONTEXT "azukari/v1/approve\n"

struct approval_document {
	uint8_t house[HOUSE_ID_SIZE];
	uint32_t number;                    /* of the request in its house, from 1, never reused */
	uint8_t nonce[APPROVAL_NONCE_SIZE]; /* so that nobody guesses it from its hash */
	uint32_t staff, device, session;    /* who asks, and from where */
	int64_t asked_us;
	int64_t expires_us; /* afterwards nobody can approve it */
	uint8_t needed;     /* by how many, 1 to APPROVALS_NEEDED_MAX */
	char asker[LABEL_SIZE];
	struct bytes what; /* in words; 1 to APPROVAL_WHAT_MAX bytes of UTF-8; borrowed */
	char note[NAME_SIZE];
	uint16_t type;     /* enum front_message */
	uint16_t version;  /* FRONT_MESSAGE_VERSION */
	struct bytes body; /* of the request; borrowed */
};

/* Appended to buffer. AZ_INVALID: it cannot be such a document. AZ_LIMIT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status approval_document_encode(
    const struct approval_document *document, struct buffer *buffer);
/* AZ_INVALID: it is none. */
AZ_CHECKED enum az_status approval_document_decode(
    struct bytes bytes, struct approval_document *ret_document);

#endif
