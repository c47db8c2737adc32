/*
 * What the keeper and the process that attributes say to each other (docs/format/attribute.md): frames of base/frame.h.
 * What is inside them is written and read by trace/packet.h.
 *
 * BEGIN, then PARTS of each table in order until all are full, then RUN; answered by RESULT or FAILED. The process has
 * no key and no name: records, people and clients are numbers to it. It believes nothing of the keeper but what it has
 * checked, and the keeper nothing of it.
 */
#ifndef AZ_PROTO_ATTRIBUTE_H
#define AZ_PROTO_ATTRIBUTE_H

enum attribute_message {
	/* keeper to process */
	ATTRIBUTE_BEGIN = 1, /* u16 version, u64 seed, count of each table, u32 pools, u32 lists */
	ATTRIBUTE_PART = 2,  /* u8 table, u32 count, items */
	ATTRIBUTE_RUN = 3,   /* empty */
	/* process to keeper */
	ATTRIBUTE_RESULT = 65,
	ATTRIBUTE_FAILED = 66, /* u8 enum az_status, text */
};

#define ATTRIBUTE_VERSION   1u
#define ATTRIBUTE_BODY_MAX  (256u * 1024u)
#define ATTRIBUTE_ITEMS_MAX 4000000000u /* of a table: they are numbered in 32 bits */

#endif
