/** What is known of a person. */
import "../screens/about/AboutScreen.ts"
import "../screens/files/FilesScreen.ts"
import "../screens/profile/ProfileScreen.ts"
import "../screens/safety/SafetyScreen.ts"
