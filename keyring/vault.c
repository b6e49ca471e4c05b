/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the secret service. */
#include "keyring/vault.h"

#include <libsecret/secret.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/secret.h"

#define SERVICE_NAME "org.freedesktop.secrets"

/* Found by the attributes alone: in a keyring that was not unlocked since it was read, the schema of an item is not known
 * yet, while attributes can be compared. */
static const SecretSchema schema = {
	"org.tart.Credentials",
	SECRET_SCHEMA_DONT_MATCH_NAME,
	{
		{ "application", SECRET_SCHEMA_ATTRIBUTE_STRING },
		{ "server", SECRET_SCHEMA_ATTRIBUTE_STRING },
		{ "user", SECRET_SCHEMA_ATTRIBUTE_STRING },
	},
	0,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
};

/* A SecretService whose prompts are all dismissed before they are shown. libsecret shows one whenever the daemon asks for
 * it, also where it was not asked to unlock anything. */
static GVariant *quiet_prompt_sync(SecretService *service, SecretPrompt *prompt,
				   GCancellable *cancellable, const GVariantType *type,
				   GError **error)
{
	(void)service;
	(void)prompt;
	(void)cancellable;
	(void)type;
	g_set_error_literal(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED,
			    "a prompt would be needed");
	return NULL;
}

static void quiet_prompt_async(SecretService *service, SecretPrompt *prompt,
			       const GVariantType *type, GCancellable *cancellable,
			       GAsyncReadyCallback callback, gpointer data)
{
	GTask *task = g_task_new(service, cancellable, callback, data);

	(void)prompt;
	(void)type;
	g_task_return_new_error(task, SECRET_ERROR, SECRET_ERROR_IS_LOCKED,
				"a prompt would be needed");
	g_object_unref(task);
}

static GVariant *quiet_prompt_finish(SecretService *service, GAsyncResult *result, GError **error)
{
	(void)service;
	return g_task_propagate_pointer(G_TASK(result), error);
}

static void make_quiet(gpointer class, gpointer data)
{
	SecretServiceClass *service_class = class;

	(void)data;
	service_class->prompt_sync = quiet_prompt_sync;
	service_class->prompt_async = quiet_prompt_async;
	service_class->prompt_finish = quiet_prompt_finish;
}

/* Called once. */
static GType quiet_service_type(void)
{
	return g_type_register_static_simple(SECRET_TYPE_SERVICE, "QuietService",
					     sizeof(SecretServiceClass), make_quiet,
					     sizeof(SecretService), NULL, (GTypeFlags)0);
}

/* Also says what the daemon said about being locked, in whatever way it said it. */
static enum keyring_exit failed(GError *error)
{
	enum keyring_exit result = KEYRING_EXIT_FAILED;

	if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED)) {
		result = KEYRING_EXIT_LOCKED;
	} else {
		g_dbus_error_strip_remote_error(error);
		printf("%s\n", error->message);
	}
	g_error_free(error);
	return result;
}

static enum keyring_exit not_found(void)
{
	printf("%s\n", KEYRING_NOT_FOUND_TEXT);
	return KEYRING_EXIT_FAILED;
}

/* Where the session's bus is. Never left to GLib, which would start one for a display that has none. Owned. */
static char *bus_address(void)
{
	const char *given = g_getenv("DBUS_SESSION_BUS_ADDRESS");
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	char *path;
	char *escaped;
	char *address;

	if (given && *given)
		return g_str_has_prefix(given, "unix:") || g_str_has_prefix(given, "tcp:") ?
			       g_strdup(given) :
			       NULL;
	if (!runtime || runtime[0] != '/')
		return NULL;
	path = g_build_filename(runtime, "bus", NULL);
	escaped = g_dbus_address_escape_value(path);
	address = g_file_test(path, G_FILE_TEST_EXISTS) ? g_strdup_printf("unix:path=%s", escaped) :
							  NULL;
	g_free(escaped);
	g_free(path);
	return address;
}

static bool is_running(GDBusConnection *bus)
{
	GVariant *answer = g_dbus_connection_call_sync(
		bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
		"NameHasOwner", g_variant_new("(s)", SERVICE_NAME), G_VARIANT_TYPE("(b)"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL);
	gboolean owned = FALSE;

	if (answer) {
		g_variant_get(answer, "(b)", &owned);
		g_variant_unref(answer);
	}
	return owned;
}

static enum keyring_exit check_bus(void)
{
	char *address = bus_address();
	GDBusConnection *bus;
	enum keyring_exit result = KEYRING_EXIT_NO_BUS;

	if (!address)
		return result;
	g_setenv("DBUS_SESSION_BUS_ADDRESS", address, TRUE);
	g_free(address);
	/* Shared with libsecret, which asks for the same one. */
	bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
	if (!bus)
		return result;
	g_dbus_connection_set_exit_on_close(bus, FALSE);
	result = is_running(bus) ? KEYRING_EXIT_DONE : KEYRING_EXIT_NO_DAEMON;
	g_object_unref(bus);
	return result;
}

static enum keyring_exit open_service(SecretService **ret)
{
	enum keyring_exit result = check_bus();
	GError *error = NULL;

	if (result != KEYRING_EXIT_DONE)
		return result;
	*ret = secret_service_open_sync(quiet_service_type(), NULL, SECRET_SERVICE_OPEN_SESSION,
					NULL, &error);
	return *ret ? KEYRING_EXIT_DONE : failed(error);
}

static GHashTable *attributes_of(const char *host, const char *user)
{
	return user ? secret_attributes_build(&schema, "application", "tart", "server", host,
					      "user", user, NULL) :
		      secret_attributes_build(&schema, "application", "tart", "server", host, NULL);
}

/* All items of a host, locked ones too: none of them is unlocked for it. */
static enum keyring_exit search(SecretService *service, const char *host, GList **ret)
{
	GHashTable *attributes = attributes_of(host, NULL);
	GError *error = NULL;

	*ret = secret_service_search_sync(service, &schema, attributes, SECRET_SEARCH_ALL, NULL,
					  &error);
	g_hash_table_unref(attributes);
	return error ? failed(error) : KEYRING_EXIT_DONE;
}

static bool copy_secret(SecretItem *item, struct vault_secret *ret)
{
	GHashTable *attributes = secret_item_get_attributes(item);
	const char *user = g_hash_table_lookup(attributes, "user");
	SecretValue *value = secret_item_get_secret(item);
	const char *password = value ? secret_value_get_text(value) : NULL;

	if (user && password) {
		ret->user = xstrdup(user);
		ret->password = xstrdup(password);
	}
	if (value)
		secret_value_unref(value);
	g_hash_table_unref(attributes);
	return ret->user != NULL;
}

/* The newest of those that are unlocked. */
static SecretItem *best_of(GList *items)
{
	SecretItem *best = NULL;

	for (GList *at = items; at; at = at->next) {
		SecretItem *item = at->data;

		if (!secret_item_get_locked(item) &&
		    (!best || secret_item_get_modified(item) > secret_item_get_modified(best)))
			best = item;
	}
	return best;
}

static enum keyring_exit get_from(SecretService *service, const char *host,
				  struct vault_secret *ret)
{
	GList *items = NULL;
	GError *error = NULL;
	SecretItem *best;
	enum keyring_exit result = search(service, host, &items);

	if (result != KEYRING_EXIT_DONE)
		return result;
	best = best_of(items);
	if (!best)
		result = items ? KEYRING_EXIT_LOCKED : not_found();
	else if (!secret_item_load_secret_sync(best, NULL, &error))
		result = failed(error);
	else if (!copy_secret(best, ret))
		result = not_found();
	g_list_free_full(items, g_object_unref);
	return result;
}

enum keyring_exit vault_get(const char *host, struct vault_secret *ret)
{
	SecretService *service = NULL;
	enum keyring_exit result = open_service(&service);

	if (result == KEYRING_EXIT_DONE)
		result = get_from(service, host, ret);
	g_clear_object(&service);
	return result;
}

/* Those of a host, but the one of `keep_user`. */
static enum keyring_exit erase_in(SecretService *service, const char *host, const char *keep_user)
{
	GList *items = NULL;
	enum keyring_exit result = search(service, host, &items);
	bool locked = false;

	if (result == KEYRING_EXIT_DONE && !items)
		result = not_found();
	for (GList *at = items; at && result == KEYRING_EXIT_DONE; at = at->next) {
		GHashTable *attributes = secret_item_get_attributes(at->data);
		bool keep = g_strcmp0(g_hash_table_lookup(attributes, "user"), keep_user) == 0;
		GError *error = NULL;

		g_hash_table_unref(attributes);
		if (keep_user && keep)
			continue;
		if (secret_item_get_locked(at->data))
			locked = true;
		else if (!secret_item_delete_sync(at->data, NULL, &error))
			result = failed(error);
	}
	g_list_free_full(items, g_object_unref);
	return result == KEYRING_EXIT_DONE && locked ? KEYRING_EXIT_LOCKED : result;
}

static enum keyring_exit create_in(SecretCollection *collection, const char *host, const char *user,
				   const char *password)
{
	GHashTable *attributes = attributes_of(host, user);
	SecretValue *value = secret_value_new(password, -1, "text/plain");
	GError *error = NULL;
	SecretItem *item = secret_item_create_sync(collection, &schema, attributes,
						   "Tart Credentials", value,
						   SECRET_ITEM_CREATE_REPLACE, NULL, &error);

	g_hash_table_unref(attributes);
	secret_value_unref(value);
	if (!item)
		return failed(error);
	g_object_unref(item);
	return KEYRING_EXIT_DONE;
}

static enum keyring_exit store_in(SecretService *service, const char *host, const char *user,
				  const char *password)
{
	GError *error = NULL;
	SecretCollection *collection = secret_collection_for_alias_sync(
		service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, NULL, &error);
	enum keyring_exit result;

	if (error)
		return failed(error);
	if (!collection)
		return KEYRING_EXIT_NO_COLLECTION;
	if (secret_collection_get_locked(collection))
		result = KEYRING_EXIT_LOCKED;
	else
		result = create_in(collection, host, user, password);
	g_object_unref(collection);
	return result;
}

enum keyring_exit vault_store(const char *host, const char *user, const char *password)
{
	SecretService *service = NULL;
	enum keyring_exit result = open_service(&service);

	if (result == KEYRING_EXIT_DONE)
		result = store_in(service, host, user, password);
	/* Another user's password for this host is not asked for any more; that it stays would do no harm: the newest counts. */
	if (result == KEYRING_EXIT_DONE)
		(void)erase_in(service, host, user);
	g_clear_object(&service);
	return result;
}

enum keyring_exit vault_erase(const char *host)
{
	SecretService *service = NULL;
	enum keyring_exit result = open_service(&service);

	if (result == KEYRING_EXIT_DONE)
		result = erase_in(service, host, NULL);
	g_clear_object(&service);
	return result;
}

void vault_secret_done(struct vault_secret *secret)
{
	secret_free(secret->user);
	secret_free(secret->password);
	*secret = (struct vault_secret){ 0 };
}
