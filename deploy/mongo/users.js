// The users of deploy/compose.yml's MongoDB: an administrator, and auth-service's own, who reads and writes its
// database and nothing else. The image runs this when the volume is new; on one from before there were users, and
// after a changed password, an operator does (docs/operations.md, "MongoDB's users"). It may be repeated.
const admin = db.getSiblingDB("admin");
const root = process.env.MONGO_INITDB_ROOT_USERNAME;
const rootPassword = process.env.MONGO_INITDB_ROOT_PASSWORD;
if (admin.runCommand({connectionStatus: 1}).authInfo.authenticatedUsers.length === 0) {
    try {
        // Without signing in MongoDB lets nobody but the first user be made, and from its own machine only.
        admin.createUser({user: root, pwd: rootPassword, roles: ["root"]});
    } catch (error) {
        print("the administrator is there: " + error.codeName);
    }
    admin.auth(root, rootPassword);
}
const auth = db.getSiblingDB("auth");
const account = {pwd: process.env.AUTH_DB_PASSWORD, roles: [{role: "readWrite", db: "auth"}]};
if (auth.getUser("auth") === null) {
    auth.createUser(Object.assign({user: "auth"}, account));
} else {
    auth.updateUser("auth", account);
}
