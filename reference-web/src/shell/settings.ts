/** The settings, which are opened seldom. */
import "../screens/settings/SettingsScreen.ts"
