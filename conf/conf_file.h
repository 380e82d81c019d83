/*
 * The config file, found and read; and paths as the owner writes them.
 */
#ifndef CLOISTER_CONF_CONF_FILE_H
#define CLOISTER_CONF_CONF_FILE_H

#include "base/err.h"

struct settings;

/** ~ and relative paths resolved: new string. */
char *conf_path_absolute(const char *path);
/** A relative path is taken from dir: new string. */
char *conf_path_below(const char *dir, const char *path);

/**
 * Read the config file into s; it may choose the chain, and the chain chooses
 * its section.
 *
 * datadir  out: the command line's, else the file's, else the default;
 *          absolute; new string in any case
 * path     out: of the file; new string in any case
 *
 * No file is fine unless -conf names one.  ERR_INPUT for its mistakes.
 */
NODISCARD enum err conf_file_load(char **datadir, char **path,
				  struct settings *s, struct why *why);

#endif
