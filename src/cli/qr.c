/*
 * Half blocks: the upper half of a character is one row, the lower the next.
 */
#include "config.h"

#include "cli/qr.h"

#ifdef HAVE_QRENCODE
#include <qrencode.h>

#define QUIET 2          /* modules of light around it */

static bool dark(const QRcode *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	       (q->data[y * q->width + x] & 1);
}

bool qr_draw(FILE *out, const char *text)
{
	static const char *const halves[] = {
		" ", "\xe2\x96\x80", "\xe2\x96\x84", "\xe2\x96\x88",
	};
	/* Case does not matter in what is drawn; capitals make it smaller. */
	QRcode *q = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 0);

	if (!q)
		return false;
	for (int y = -QUIET; y < q->width + QUIET; y += 2) {
		/* Black on white, whatever the terminal's colours are. */
		fputs("\033[30;107m", out);
		for (int x = -QUIET; x < q->width + QUIET; x++)
			fputs(halves[dark(q, x, y) + 2 * dark(q, x, y + 1)],
			      out);
		fputs("\033[0m\n", out);
	}
	QRcode_free(q);
	return true;
}
#else
bool qr_draw(FILE *out, const char *text)
{
	(void)out;
	(void)text;
	return false;
}
#endif
