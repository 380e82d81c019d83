/*
 * The parts of the unit tests of tor/.
 */
#ifndef CLOISTER_TEST_TOR_H
#define CLOISTER_TEST_TOR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Each runs its group and gives the number of failures. */
int test_tor_control(void);
int test_tor_doors(void);
int test_tor_health(void);
int test_tor_keys(void);
int test_tor_link(void);
int test_tor_onion(void);
int test_tor_process(void);
int test_tor_socks5(void);
int test_tor_text(void);
int test_tor_transport(void);
int test_tor_warden(void);
int test_tor_watch(void);

/* What the test program does when the warden under test runs it as node. */
int test_tor_node_main(void);

/** A new directory below /tmp, 0700, short enough for sockets. */
char *test_tor_dir_new(void);
/** Remove it with all that is in it, and free the name. */
void test_tor_dir_free(char *dir);
/** Write an executable shell script DIR/NAME; its path, to be freed. */
char *test_tor_script(const char *dir, const char *name, const char *body);

/*
 * A stand-in for tor: tells a version, answers on descriptor 3, says it is
 * bootstrapped, and that the descriptor of TEST_TOR_ADDRESS is uploaded.  Its
 * process id is in DIR/tor.pid.
 */
#define TEST_TOR_FAKE \
	"case $1 in --version) echo 'Tor version 0.4.9.11.'; exit 0;; esac\n" \
	"echo $$ > ${4%/tor/torrc}/tor.pid\n" \
	"say() { printf '%s\\r\\n' \"$1\" >&3; }\n" \
	"hs='25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid'\n" \
	"b='STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 SUMMARY=\"Done\"'\n" \
	"while read -r line <&3; do case $line in\n" \
	"SETCONF*) say '250 OK'; say \"650 $b\"\n" \
	"	say \"650 HS_DESC UPLOAD $hs UNKNOWN x\"\n" \
	"	say \"650 HS_DESC UPLOADED $hs UNKNOWN x\";;\n" \
	"CLOSECIRCUIT*) say '250 OK'; echo \"$line\" > " \
		"${4%/tor/torrc}/closed;;\n" \
	"*SHUTDOWN*) say '250 OK'; exit 0;;\n" \
	"*) say '250 OK';; esac; done\n"
#define TEST_TOR_SEED \
	"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define TEST_TOR_ADDRESS \
	"25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion"
/** Put that key below dir. */
void test_tor_put_key(const char *dir);

#endif
