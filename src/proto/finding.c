#include "proto/finding.h"

void
finding_put(struct wire_writer *writer, const struct finding *finding)
{
	wire_put_u16(writer, FINDING_VERSION);
	wire_put_text(writer, finding->verdict);
	wire_put_text(writer, finding->from);
	wire_put_text(writer, finding->to);
	wire_put_u8(writer, finding->suspects);
}

void
finding_put_suspect(struct wire_writer *writer, const struct finding_suspect *suspect)
{
	wire_put_u64(writer, suspect->leak);
	wire_put_text(writer, suspect->who);
	wire_put_text(writer, suspect->label);
	wire_put_text(writer, suspect->posterior);
	wire_put_text(writer, suspect->posterior_flat);
	wire_put_u64(writer, suspect->rows_explained);
}
