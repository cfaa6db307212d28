/** The list of conversations, conversations, and how they begin. */
import "../components/status-bar/StatusBar.ts"
import "../screens/conversation/ConversationScreen.ts"
import "../screens/conversations/Conversations.ts"
import "../screens/new/NewScreen.ts"
import "../screens/requests/RequestsScreen.ts"
import "../screens/search/SearchScreen.ts"
