/*
 * QR codes in a terminal's characters.  libqrencode's only door.
 */
#ifndef CLOISTER_CLI_QR_H
#define CLOISTER_CLI_QR_H

#include <stdio.h>

#include "base/base.h"

/** Draw it dark on light, two modules to a character.  False, and nothing is
 * drawn: this build has no QR codes, or the text is too long. */
bool qr_draw(FILE *out, const char *text);

#endif
